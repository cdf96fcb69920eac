"""What `uninstall` says of other hosts before it takes the server away, and what it leaves of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s import k3s_config
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import helper_programs, preflight, target, uninstall_cluster
from scheduler_k3s.tools import k3s
from unit.dokku_host import Host
from unit.object_api import ObjectApi, serve


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dokku: Host) -> Iterator[ObjectApi]:
    """A host whose k3s answers. All its files are the test's own."""
    kubeconfig = tmp_path / "k3s.yaml"
    monkeypatch.setattr(preflight, "require_root", lambda: None)
    monkeypatch.setattr(target, "DEFAULT_KUBECONFIG", str(kubeconfig))
    monkeypatch.setattr(target, "kubeconfig_path", lambda: str(kubeconfig))
    monkeypatch.setattr(k3s, "BINARY", str(tmp_path / "k3s"))
    monkeypatch.setattr(k3s, "UNINSTALL", str(tmp_path / "uninstall.sh"))
    monkeypatch.setattr(k3s_config, "PATH", str(tmp_path / "config.yaml"))
    for name in ("DIRECTORY", "REGISTRIES", "SUDOERS"):
        monkeypatch.setattr(helper_programs, name, str(tmp_path / name.lower()))
    (tmp_path / "directory").mkdir()
    (tmp_path / "k3s").touch()
    (tmp_path / "uninstall.sh").write_text("#!/bin/sh\necho taking it off\n")
    (tmp_path / "uninstall.sh").chmod(0o755)
    with serve() as found:
        kubeconfig.write_text(
            '{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "a"}}],'
            f'"clusters": [{{"name": "a", "cluster": {{"server": "{found.url}"}}}}]}}'
        )
        yield found


def node(name: str, remote: str = "") -> dict[str, object]:
    return {"metadata": {"name": name, "annotations": {"dokku.com/remote-host": remote} if remote else {}}}


def test_other_hosts_are_named_first(dokku: Host, api: ObjectApi, capfd: pytest.CaptureFixture[str]) -> None:
    dokku.store("--global", "node-name", "own")
    nodes = [node("own"), node("w1", "ssh://root@10.0.0.6:22"), node("w2")]
    api.groups["/api/v1/nodes"] = {"items": nodes}
    uninstall_cluster.uninstall(is_forced=False)
    said = capfd.readouterr()
    assert said.err.splitlines() == [
        " !     2 other nodes stay as they are and keep looking for this server. Remove them first, with:",
        " !       dokku scheduler-k3s:cluster:remove w1   (ssh://root@10.0.0.6:22)",
        " !       dokku scheduler-k3s:cluster:remove w2",
    ]
    assert said.out.startswith("-----> Uninstalling k3s\n       taking it off\n")
    assert not (dokku.config / "--global/node-name").exists()


def test_a_host_alone_has_nothing_to_warn_of(
    dokku: Host, api: ObjectApi, capfd: pytest.CaptureFixture[str]
) -> None:
    api.groups["/api/v1/nodes"] = {"items": [node("of-an-older-plugin")]}
    uninstall_cluster.uninstall(is_forced=True)
    assert capfd.readouterr().err == ""


def test_a_cluster_that_does_not_answer_is_no_obstacle(
    api: ObjectApi, capfd: pytest.CaptureFixture[str]
) -> None:
    api.down = 500
    uninstall_cluster.uninstall(is_forced=True)
    assert (
        "       The cluster does not answer: hosts that joined it cannot be listed\n"
        in capfd.readouterr().out
    )


@pytest.mark.parametrize(("text", "stays"), [(f"{k3s_config.MARK}token: x\n", False), ("token: x\n", True)])
def test_our_settings_go_and_other_peoples_stay(api: ObjectApi, text: str, stays: bool) -> None:
    path = Path(k3s_config.PATH)
    path.write_text(text)
    uninstall_cluster.uninstall(is_forced=True)
    assert path.exists() == stays


def test_a_script_that_fails(dokku: Host, api: ObjectApi) -> None:
    dokku.store("--global", "node-name", "own")
    Path(k3s.UNINSTALL).write_text("#!/bin/sh\necho busy >&2\nexit 1\n")
    with pytest.raises(PluginError, match=r"^Unable to call k3s uninstaller command: .* exit code 1: busy$"):
        uninstall_cluster.uninstall(is_forced=True)
    assert (dokku.config / "--global/node-name").exists()


def test_an_installed_k3s_without_the_script(api: ObjectApi) -> None:
    Path(k3s.UNINSTALL).unlink()
    with pytest.raises(PluginError, match=r"uninstall.sh does not exist$"):
        uninstall_cluster.uninstall(is_forced=True)
