"""At boot: how long dokku is kept from restoring an app."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import restore
from unit.api_server import Api, serve
from unit.dokku_host import Host

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


@pytest.fixture
def api(dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr(restore, "_PAUSE", 0.02)
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


def deployment(replicas: int, available: int) -> dict[str, Any]:
    return {"spec": {"replicas": replicas}, "status": {"availableReplicas": available}}


@pytest.mark.parametrize("found", [[], [deployment(0, 0)], [deployment(2, 2)]], ids=["none", "stopped", "up"])
def test_what_runs_or_is_not_to_run_is_not_waited_for(
    api: Api, found: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    api.objects[DEPLOYMENTS] = found
    restore.wait("demo")
    assert capsys.readouterr() == ("", "")


def test_the_api_and_then_the_pods_are_waited_for(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = (tmp_path / "kubeconfig").rename(tmp_path / "away")
    api.objects[DEPLOYMENTS] = [deployment(2, 1)]
    waiting = threading.Thread(target=restore.wait, args=("demo",))
    waiting.start()
    away.rename(tmp_path / "kubeconfig")
    while not api.requests:
        assert waiting.is_alive()
    api.objects[DEPLOYMENTS] = [deployment(2, 2)]
    waiting.join(30)
    assert not waiting.is_alive()
    output, errors = capsys.readouterr()
    assert output.startswith("       Waiting for ")
    assert errors == ""


def test_an_api_that_stays_away_leaves_the_app_alone(
    dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "PATIENCE", 0.05)
    monkeypatch.setattr(restore, "_PAUSE", 0.02)
    dokku.store("--global", "kubeconfig-path", str(tmp_path / "none"))
    with pytest.raises(
        PluginError, match=r"does not exist(.|\n)*Restore it later, with: dokku ps:restore demo"
    ):
        restore.wait("demo")


def test_pods_that_stay_away_are_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(restore, "PATIENCE", 0.05)
    api.objects[DEPLOYMENTS] = [deployment(2, 0)]
    restore.wait("demo")
    assert (
        "Not all pods of demo serve after 0s. See why with: dokku logs:failed demo" in capsys.readouterr().err
    )
