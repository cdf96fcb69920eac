"""What ensure-charts does around the charts: the upgrade controller, and what properties ask of the cluster."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import cluster_settings, ensure_charts, system_charts, system_upgrader, target
from unit.dokku_host import Host
from unit.file_server import FileServer, file_server
from unit.object_api import ObjectApi, serve

MANIFEST = "/system-upgrade-controller-0.13.2.yaml"
KUBECTL = 'echo "$*" >>"$TOOLS/calls"; cat "$4"\n'


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """kubectl shows what it is to apply."""
    found = tmp_path / "tools"
    (found / "bin").mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(found))
    monkeypatch.setenv("TOOLS", str(found))
    play(found, KUBECTL)
    return found


def play(tools: Path, script: str, name: str = "kubectl") -> None:
    (tools / "bin" / name).write_text(f"#!/bin/sh\n{script}")
    (tools / "bin" / name).chmod(0o755)


@pytest.fixture
def mirror(dokku: Host) -> Iterator[FileServer]:
    with file_server() as files:
        dokku.store("--global", "chart-repository-url", f"{files.url}/")
        files.serve(MANIFEST, b"kind: Namespace\n")
        yield files


@pytest.fixture
def api(dokku: Host) -> Iterator[ObjectApi]:
    with serve() as found:
        found.groups["/version"] = {"major": "1", "minor": "34"}
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": found.url}}],
            "users": [{"name": "u", "user": {}}],
        }
        path = dokku.store("--global", "kubeconfig", json.dumps(config))
        dokku.store("--global", "kubeconfig-path", str(path))
        yield found


# the upgrade controller


def test_the_manifest_is_public_or_beside_the_mirrored_charts(dokku: Host) -> None:
    assert system_upgrader.url() == (
        "https://github.com/rancher/system-upgrade-controller/releases/download/v0.13.2/system-upgrade-controller.yaml"
    )
    for url in ("https://mirror.example.com/charts", "https://mirror.example.com/charts/"):
        dokku.store("--global", "chart-repository-url", url)
        assert system_upgrader.url() == f"https://mirror.example.com/charts{MANIFEST}"


def test_the_manifest_is_fetched_and_applied(
    dokku: Host, tools: Path, mirror: FileServer, capfd: pytest.CaptureFixture[str]
) -> None:
    dokku.store("--global", "kubeconfig-path", "/k")
    dokku.store("--global", "kube-context", "c")
    play(tools, 'echo "$*" >>"$TOOLS/calls"; cat "$5"\n')
    system_upgrader.apply()
    assert capfd.readouterr().out == "=====> Installing system-upgrader@0.13.2\n       kind: Namespace\n"
    *words, path = (tools / "calls").read_text().split()
    assert words == ["--kubeconfig=/k", "--context=c", "apply", "--filename"]
    assert not Path(path).exists()


def test_a_mirror_without_the_manifest_is_told_about(
    tools: Path, mirror: FileServer, capfd: pytest.CaptureFixture[str]
) -> None:
    del mirror.answers[MANIFEST]
    system_upgrader.apply()
    assert capfd.readouterr().err.startswith(
        f" !     {mirror.url}{MANIFEST} does not exist: put a copy of https://"
    )
    assert not (tools / "calls").exists()


@pytest.mark.parametrize(
    ("status", "script", "reason"),
    [
        (500, KUBECTL, f"{MANIFEST} answered 500"),
        (200, "echo 'error: no such cluster' >&2; exit 1\n", "no such cluster"),
    ],
)
def test_what_fails_is_said(tools: Path, mirror: FileServer, status: int, script: str, reason: str) -> None:
    mirror.serve(MANIFEST, b"x", status)
    play(tools, script)
    with pytest.raises(PluginError) as raised:
        system_upgrader.apply()
    assert raised.value.message.startswith("Unable to apply kubernetes manifest: ")
    assert reason in raised.value.message


# what properties ask of the cluster


def test_nothing_is_asked_nothing_is_changed(api: ObjectApi, capfd: pytest.CaptureFixture[str]) -> None:
    cluster_settings.reconcile()
    assert capfd.readouterr().out == "=====> Applying node sysctls\n"
    assert all(method == "GET" for method, *_ in api.asked)


def test_what_is_asked_of_charts_that_are_not_there_is_told(
    dokku: Host, api: ObjectApi, capfd: pytest.CaptureFixture[str]
) -> None:
    dokku.store("--global", "letsencrypt-email-stag", "a@example.com")
    dokku.store("--global", "trigger-auth.datadog.key", "x")
    cluster_settings.reconcile()
    install = "Install it with: dokku scheduler-k3s:ensure-charts --charts"
    assert capfd.readouterr().err.splitlines() == [
        " !     letsencrypt-email-stag is set, but cert-manager is not installed: apps get no https. "
        f"{install} cert-manager",
        f" !     Trigger authentication is set for all apps, but KEDA is not installed. {install} keda",
    ]
    assert all(method == "GET" for method, *_ in api.asked)


def test_what_was_set_before_the_charts_is_installed(
    dokku: Host, api: ObjectApi, tools: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    play(tools, 'echo "$3 $6" >>"$TOOLS/calls"\n', "helm")
    api.groups["/apis/cert-manager.io/v1"] = api.groups["/apis/keda.sh/v1alpha1"] = {}
    dokku.store("--global", "letsencrypt-email-prod", "a@example.com")
    for trigger in ("datadog", "prometheus"):
        dokku.store("--global", f"trigger-auth.{trigger}.key", "x")
    dokku.store("--global", "node-sysctls.global", '{"vm.max_map_count": "262144"}')
    cluster_settings.reconcile()
    prefix = "keda-cluster-trigger-authentications"
    assert (tools / "calls").read_text().splitlines() == [
        "cluster-issuers cert-manager",
        f"{prefix}-datadog keda",
        f"{prefix}-prometheus keda",
        "dokku-node-sysctls-global kube-system",
    ]
    said = capfd.readouterr()
    assert [line for line in said.out.splitlines() if line.startswith("=====> ")] == [
        "=====> Applying cluster issuers",
        "=====> Applying trigger authentication",
        "=====> Applying node sysctls",
    ]
    assert said.err == ""


# the command


@pytest.mark.parametrize(
    ("external", "force", "steps"),
    [
        (False, False, ["charts", "upgrader", "settings"]),
        (True, False, ["charts", "settings"]),
        (True, True, ["charts", "upgrader", "settings"]),
    ],
)
def test_the_order_and_what_an_external_cluster_does_not_get(
    dokku: Host, monkeypatch: pytest.MonkeyPatch, external: bool, force: bool, steps: list[str]
) -> None:
    done: list[str] = []
    asked: dict[str, object] = {}

    def install(**words: object) -> None:
        asked.update(words)
        done.append("charts")

    monkeypatch.setattr(system_charts, "install", install)
    monkeypatch.setattr(system_upgrader, "apply", lambda: done.append("upgrader"))
    monkeypatch.setattr(cluster_settings, "reconcile", lambda: done.append("settings"))
    if external:
        dokku.store("--global", "kubeconfig-path", "/elsewhere")
    assert target.kubeconfig_path() == ("/elsewhere" if external else "/etc/rancher/k3s/k3s.yaml")
    ensure_charts.ensure_charts([" keda", "vector "], force)
    assert done == steps
    assert asked == {"names": ["keda", "vector"], "force": force}
