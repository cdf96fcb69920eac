"""What comes to the host beside k3s, and goes with it. The directories are the test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import helper_programs
from unit.dokku_host import Host
from unit.file_server import FileServer, file_server

SCRIPT = b"#!/bin/sh\necho here\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "usr"
    tools = tmp_path / "tools/bin"
    for each in (directory, tools, tmp_path / "plugin/lib/helpers"):
        each.mkdir(parents=True)
    (tools / "helm").write_bytes(SCRIPT)
    (tools / "helm").chmod(0o755)
    (tmp_path / "plugin/lib/helpers/registries").write_bytes(SCRIPT)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setattr(helper_programs, "DIRECTORY", str(directory))
    monkeypatch.setattr(helper_programs, "REGISTRIES", str(directory / "registries"))
    monkeypatch.setattr(helper_programs, "SUDOERS", str(directory / "rule"))
    return directory


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, dokku: Host) -> Iterator[FileServer]:
    with file_server() as server:
        monkeypatch.setenv("DOKKU_SCHEDULER_K3S_KUBECTX_URL", server.url)
        server.serve("/kubectx", SCRIPT)
        server.serve("/kubens", SCRIPT)
        yield server


def test_conveniences(place: Path, files: FileServer, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "kubens").write_text("an older one")
    helper_programs.install_conveniences()
    for name in ("kubectx", "kubens"):
        assert (place / name).read_bytes() == SCRIPT
        assert (place / name).stat().st_mode & 0o777 == 0o755
    assert os.readlink(place / "helm") == str(place.parent / "tools/bin/helm")
    assert capsys.readouterr().err == ""


def test_a_helm_of_the_hosts_stays(place: Path, files: FileServer) -> None:
    (place / "helm").write_text("helm 3")
    helper_programs.install_conveniences()
    assert (place / "helm").read_text() == "helm 3"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((b"", 200), "Invalid kubectx filesize"),
        ((b"", 502), "Invalid status code for kubectx: 502"),
        ((b"<html>", 200), "/kubectx is not a script"),
    ],
)
def test_conveniences_that_cannot_be_had_are_no_failure(
    place: Path, files: FileServer, capsys: pytest.CaptureFixture[str], answer: tuple[bytes, int], text: str
) -> None:
    files.serve("/kubectx", *answer)
    helper_programs.install_conveniences()
    assert text in capsys.readouterr().err
    assert sorted(os.listdir(place)) == ["helm"]


def test_what_dokku_may_do_as_root(place: Path, monkeypatch: pytest.MonkeyPatch, dokku: Host) -> None:
    monkeypatch.setenv("DOKKU_SYSTEM_USER", "dokku")
    helper_programs.install_registries_helper(str(place.parent / "plugin"))
    helper = place / "registries"
    assert (helper.read_bytes(), helper.stat().st_mode & 0o777) == (SCRIPT, 0o755)
    rule = place / "rule"
    assert rule.read_text() == f"dokku ALL=(root) NOPASSWD: {helper} read, {helper} write\n"
    assert rule.stat().st_mode & 0o777 == 0o440
    helper_programs.remove()
    assert list(place.iterdir()) == []


def test_a_rule_that_sudo_would_not_read_is_taken_back(
    place: Path, monkeypatch: pytest.MonkeyPatch, dokku: Host
) -> None:
    """One bad file there, and nobody can use sudo any more."""
    monkeypatch.setenv("DOKKU_SYSTEM_USER", "two words")
    with pytest.raises(PluginError, match=r"^Unable to let dokku run "):
        helper_programs.install_registries_helper(str(place.parent / "plugin"))
    assert not (place / "rule").exists()
