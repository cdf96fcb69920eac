"""What initialize does around its steps. The steps themselves are run in tests/machines."""

import os
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import first_server, initialize, preflight, target
from scheduler_k3s.operations.preflight import Wanted
from scheduler_k3s.operations.server_address import Found
from unit.dokku_host import Host


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, dokku: Host) -> list[str]:
    """Two steps that note that they ran; the second fails as long as the list holds less than three."""
    done: list[str] = []

    def second() -> None:
        done.append("second")
        if len(done) < 3:
            raise PluginError("Unable to do it: no power")

    monkeypatch.setattr(preflight, "require_root", lambda: None)
    monkeypatch.setattr(preflight, "check", lambda wanted, is_resumed: Found("10.0.0.5", "eth0"))
    both = (("the first thing", lambda: done.append("first")), ("the second thing", second))
    monkeypatch.setattr(initialize, "_steps", lambda plugin, server: both)
    return done


def test_a_failure_says_how_to_go_on_and_the_repetition_does(
    dokku: Host, steps: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    mark = dokku.config / "--global/initialize-unfinished"
    words = ["--kubelet-args", "eviction-hard=memory.available<200Mi"]
    with pytest.raises(PluginError) as error:
        initialize.initialize("/plugin", Wanted(), words)
    assert error.value.message == (
        "Unable to do it: no power\nStopped at: the second thing. What is done is kept. To go on, repeat: "
        "dokku scheduler-k3s:initialize --kubelet-args 'eviction-hard=memory.available<200Mi'"
    )
    assert mark.exists()
    assert "Going on with" not in capsys.readouterr().out
    initialize.initialize("/plugin", Wanted(tainted=True), words)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "       Going on with the initialization that did not come to its end"
    assert said[-2:] == [
        "         dokku scheduler-k3s:cluster:add ssh://USER@HOST   (apps do not run on this server)",
        "       Done",
    ]
    assert not mark.exists()
    assert steps == ["first", "second", "first", "second"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changes the owner of a file")
def test_a_kubeconfig_that_k3s_has_not_shared(
    dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = tmp_path / "k3s.yaml"
    kubeconfig.touch(mode=0o600)
    os.chown(kubeconfig, 0, 1)
    monkeypatch.setattr(target, "kubeconfig_path", lambda: str(kubeconfig))
    first_server.share_kubeconfig()
    assert (kubeconfig.stat().st_mode & 0o777, kubeconfig.stat().st_gid) == (0o640, os.getegid())
    assert "does not know write-kubeconfig-group" in capsys.readouterr().err
    first_server.share_kubeconfig()
    assert capsys.readouterr().err == ""
