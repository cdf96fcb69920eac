"""k3s' files on a host, below directories of the test's own."""

from pathlib import Path

import pytest
from scheduler_k3s import k3s_config
from scheduler_k3s.k3s_config import Node
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import k3s
from scheduler_k3s.tools.command import CommandError
from scheduler_k3s.tools.installer import Fetched

CANARY = "c4n4ry"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(k3s, "BINARY", str(tmp_path / "bin/k3s"))
    monkeypatch.setattr(k3s_config, "PATH", str(tmp_path / "etc/k3s/config.yaml"))
    return tmp_path


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_two_signs_of_an_installed_k3s(place: Path) -> None:
    kubeconfig = place / "k3s.yaml"
    assert k3s.missing(str(kubeconfig)) == "k3s binary is not available"
    script(place / "bin/k3s", "echo 'k3s version v1.34.4+k3s1 (0c3b1c4a)'; echo 'go version go1.24.9'")
    assert k3s.missing(str(kubeconfig)) == "k3s kubeconfig is not available"
    kubeconfig.touch()
    assert k3s.missing(str(kubeconfig)) == ""
    assert k3s.version() == "v1.34.4+k3s1"


@pytest.mark.parametrize("text", ["exit 1", "echo", "echo k3s version"])
def test_a_k3s_that_does_not_say_its_version(place: Path, text: str) -> None:
    script(place / "bin/k3s", text)
    assert k3s.version() == ""


def test_settings_are_roots_alone_and_written_when_they_change(place: Path) -> None:
    config = k3s_config.first_server(Node("a"), Secret(CANARY), Secret("b"))
    assert k3s.configure(config)
    path = place / "etc/k3s/config.yaml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert CANARY in path.read_text()
    assert not k3s.configure(config)
    assert k3s.configure(k3s_config.first_server(Node("b"), Secret(CANARY), Secret("b")))
    assert [each.name for each in path.parent.iterdir()] == ["config.yaml"]


def test_the_installer_sees_its_own_variables_only(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It writes every K3S_* into a file, and what a shell left there would change what is installed."""
    monkeypatch.setenv("K3S_TOKEN", CANARY)
    monkeypatch.setenv("INSTALL_K3S_EXEC", "agent")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    installer = script(place / "installer", f'echo "$@"; env | grep -E "K3S|PROXY" | sort; echo {CANARY}')
    k3s.install(Fetched(installer, "", "v1.34.4+k3s1"), [Secret(CANARY)], is_again=True)
    assert [line.strip() for line in capfd.readouterr().out.splitlines()] == [
        "server",
        "HTTPS_PROXY=http://proxy",
        "INSTALL_K3S_FORCE_RESTART=true",
        "INSTALL_K3S_VERSION=v1.34.4+k3s1",
        "***",
    ]


def test_a_program_of_a_mirror_is_in_place_before_the_installer_runs(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    binary = script(place / "fetched", "echo 'k3s version v1.34.4+k3s1 (0)'")
    installer = script(place / "installer", f"{place}/bin/k3s; env | grep K3S")
    k3s.install(Fetched(installer, binary, "v1.34.4+k3s1"), [], is_again=False)
    said = [line.strip() for line in capfd.readouterr().out.splitlines()]
    assert said == ["k3s version v1.34.4+k3s1 (0)", "INSTALL_K3S_SKIP_DOWNLOAD=true"]
    assert (place / "bin/k3s").stat().st_mode & 0o777 == 0o755


def test_an_installer_that_fails(place: Path) -> None:
    installer = script(place / "installer", f"echo cannot start with {CANARY} >&2; exit 7")
    with pytest.raises(CommandError) as error:
        k3s.install(Fetched(installer, "", ""), [Secret(CANARY)], is_again=False)
    assert error.value.message == "installer failed with exit code 7: cannot start with ***"
