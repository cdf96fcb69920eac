"""The releases beside the app's: written when they differ, left alone when they do not."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.app import App
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import secret
from scheduler_k3s.operations import auxiliary
from scheduler_k3s.operations.state import State
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import helm
from scheduler_k3s.tools.release import LIMIT, Release
from unit.models import shop
from unit.object_api import ObjectApi, serve

Object = dict[str, Any]
LOGIN = Secret('{"auths": {}}')
SECRETS = "/api/v1/namespaces/default/secrets"


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as served:
        yield served


def app(*pull_secrets: str, **config: str) -> App:
    return shop(pull_secrets=pull_secrets, config={key: Secret(value) for key, value in config.items()})


def revision(item: Object, status: str = "deployed") -> Release:
    name = item["metadata"]["name"]
    return Release(name, "default", 1, status, "0.0.1", {}, f"---\n{json.dumps(item)}\n", {})


def installed(api: ObjectApi, *items: Object, status: str = "deployed") -> State:
    """The Secrets as a release has left them, with what helm and the server add."""
    for item in items:
        metadata = {**item["metadata"], "uid": "x"}
        metadata["annotations"] = {**metadata["annotations"], "meta.helm.sh/release-name": metadata["name"]}
        metadata["labels"] = {**metadata["labels"], "app.kubernetes.io/managed-by": "Helm"}
        api.put(f"{SECRETS}/{metadata['name']}", **{**item, "metadata": metadata})
    known = {item["metadata"]["name"]: revision(item, status) for item in items}
    return State(True, (1, 34), auxiliary=known)


def outdated(api: ObjectApi, model: App, before: State) -> list[str]:
    return sorted(auxiliary.outdated(api.cluster(), model, LOGIN, before))


def test_a_new_app_has_its_secrets_written(api: ObjectApi) -> None:
    nothing = State(True, (1, 34))
    assert outdated(api, app(KEY="a"), nothing) == ["config-shop"]
    assert outdated(api, app("pull-secret-shop"), nothing) == ["config-shop", "pull-secret-shop"]
    assert outdated(api, app("mine"), nothing) == ["config-shop"]


@pytest.mark.parametrize("config", [{"KEY": "a"}, {}])
def test_what_is_as_it_should_be_is_left_alone(api: ObjectApi, config: dict[str, str]) -> None:
    model = app("pull-secret-shop", **config)
    pull = secret.pull_secret(model, LOGIN.reveal().encode())
    assert outdated(api, model, installed(api, secret.config(model), pull)) == []


@pytest.mark.parametrize("changed", [app(KEY="b"), app(KEY="a", MORE=""), app(), app(OTHER="a")])
def test_another_config_is_written(api: ObjectApi, changed: App) -> None:
    before = installed(api, secret.config(app(KEY="a")))
    assert outdated(api, changed, before) == ["config-shop"]


def test_other_logins_are_written(api: ObjectApi) -> None:
    model = app("pull-secret-shop")
    before = installed(api, secret.config(model), secret.pull_secret(model, b'{"auths":{}}'))
    assert outdated(api, model, before) == ["pull-secret-shop"]


def change(live: Object) -> None:
    live["data"] = {"KEY": "Yg=="}


def strip(live: Object) -> None:
    del live["metadata"]["labels"]["app.kubernetes.io/part-of"]


@pytest.mark.parametrize("drift", [change, strip])
def test_a_secret_that_somebody_changed_is_written_again(api: ObjectApi, drift: Any) -> None:
    model = app(KEY="a")
    before = installed(api, secret.config(model))
    drift(api.objects[f"{SECRETS}/config-shop"])
    assert outdated(api, model, before) == ["config-shop"]


def test_a_secret_that_somebody_removed_is_written_again(api: ObjectApi) -> None:
    model = app(KEY="a")
    before = installed(api, secret.config(model))
    del api.objects[f"{SECRETS}/config-shop"]
    assert outdated(api, model, before) == ["config-shop"]


@pytest.mark.parametrize("status", ["failed", "pending-install", "superseded"])
def test_a_release_that_did_not_end_well_is_written_again(api: ObjectApi, status: str) -> None:
    model = app(KEY="a")
    assert outdated(api, model, installed(api, secret.config(model), status=status)) == ["config-shop"]


def test_a_label_that_the_user_took_away_is_written(api: ObjectApi) -> None:
    """The live object still has it: only the release's record tells that it is ours to remove."""
    labelled = shop(labels={"--global.secret": {"team": "blue"}})
    before = installed(api, secret.config(labelled))
    assert outdated(api, labelled, before) == []
    assert outdated(api, shop(), before) == ["config-shop"]


def test_a_record_with_the_size_of_a_secret_is_the_end() -> None:
    import base64
    import random

    noise = base64.b64encode(random.Random(1).randbytes(LIMIT // 2)).decode()
    with pytest.raises(PluginError) as raised:
        auxiliary.charts({"config-shop": {"kind": "Secret", "metadata": {"name": "x"}, "data": {"K": noise}}})
    assert raised.value.message.startswith("Release config-shop is too large: its record takes ")
    assert f"keeps at most {LIMIT}" in raised.value.message
    assert noise[:40] not in raised.value.message


# writing


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[helm.Helm]:
    """A helm that fails for the releases named in $FAIL, and writes down what it is asked."""
    program = tmp_path / "tools/bin/helm"
    program.parent.mkdir(parents=True)
    program.write_text(
        '#!/bin/sh\necho "$@" >>"$ASKED"\n'
        'case " $FAIL " in *" $3 "*) echo "Error: no $3" >&2; exit 1;; esac\necho uninstalled\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("FAIL", "")
    with helm.session(helm.Target("/k", ""), str(tmp_path)) as session:
        yield session


def files(model: App) -> dict[str, Mapping[str, str]]:
    items = {"config-shop": secret.config(model), "pull-secret-shop": secret.pull_secret(model, b"{}")}
    return auxiliary.charts(items)


def asked(tmp_path: Path) -> list[str]:
    path = tmp_path / "asked"
    lines = path.read_text().splitlines() if path.exists() else []
    return sorted(" ".join(line.split()[:3]) for line in lines)


def test_all_are_written(runner: helm.Helm, tmp_path: Path) -> None:
    auxiliary.write(runner, "default", files(app(KEY="a")))
    assert asked(tmp_path) == ["upgrade --install config-shop", "upgrade --install pull-secret-shop"]
    assert "--wait" not in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        ("config-shop", "Error syncing config secret: Error: no config-shop"),
        ("pull-secret-shop", "Error syncing pull secret: Error: no pull-secret-shop"),
    ],
)
def test_the_one_that_fails_is_named(
    runner: helm.Helm, monkeypatch: pytest.MonkeyPatch, failing: str, message: str
) -> None:
    monkeypatch.setenv("FAIL", failing)
    with pytest.raises(PluginError) as raised:
        auxiliary.write(runner, "default", files(app(KEY="a")))
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("pull_secrets", "was_there", "removed"),
    [
        ([], True, True),
        (["mine"], True, True),
        (["pull-secret-shop"], True, False),
        (["mine", "pull-secret-shop"], True, False),
        ([], False, False),
    ],
)
def test_a_pull_secret_that_nobody_uses_any_more_goes(
    runner: helm.Helm, tmp_path: Path, pull_secrets: list[str], was_there: bool, removed: bool
) -> None:
    known = {"pull-secret-shop": revision(secret.pull_secret(app(), b"{}"))} if was_there else {}
    auxiliary.remove_unmanaged(runner, app(*pull_secrets), State(True, (1, 34), auxiliary=known))
    assert asked(tmp_path) == (["uninstall pull-secret-shop --namespace"] if removed else [])
