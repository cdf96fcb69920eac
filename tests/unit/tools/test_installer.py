"""What of k3s gets onto a host, and what does not."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import installer
from unit.dokku_host import Host
from unit.file_server import FileServer, file_server

SCRIPT = b"#!/bin/sh\nexit 0\n"
BINARY = b"\x7fELF" + os.urandom(2000)
VERSION = "v1.34.4+k3s1"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def mirror(dokku: Host) -> Iterator[FileServer]:
    """A server that the properties name, with an installer and a release."""
    with file_server() as server:
        dokku.store("--global", "k3s-installer-url", f"{server.url}/install.sh")
        server.serve("/install.sh", SCRIPT)
        server.serve("/install.sh.sha256sum", f"{sha256(SCRIPT)}  install.sh\n".encode())
        server.serve(f"/r/{VERSION}/k3s", BINARY)
        server.serve(f"/r/{VERSION}/k3s-arm64", BINARY + b"arm")
        for arch, content in (("amd64", BINARY), ("arm64", BINARY + b"arm")):
            name = "k3s" if arch == "amd64" else "k3s-arm64"
            listed = f"{'0' * 64}  k3s-airgap-images.tar\n{sha256(content)}  {name}\n"
            server.serve(f"/r/{VERSION}/sha256sum-{arch}.txt", listed.encode())
        yield server


def refusal(directory: Path) -> str:
    with pytest.raises(PluginError) as raised:
        installer.fetch(str(directory))
    return raised.value.message


def use_release(dokku: Host, mirror: FileServer) -> None:
    dokku.store("--global", "k3s-version", VERSION)
    dokku.store("--global", "k3s-release-url", f"{mirror.url}/r/")


def test_a_checked_installer(mirror: FileServer, tmp_path: Path) -> None:
    found = installer.fetch(str(tmp_path))
    assert found == (f"{tmp_path}/k3s-installer.sh", "", "")
    assert Path(found.script).read_bytes() == SCRIPT
    assert Path(found.script).stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["k3s-installer.sh"]
    assert installer.environment(found) == {}


def test_a_pinned_version_is_the_installers_to_fetch(dokku: Host, mirror: FileServer, tmp_path: Path) -> None:
    dokku.store("--global", "k3s-version", VERSION)
    assert installer.environment(installer.fetch(str(tmp_path))) == {"INSTALL_K3S_VERSION": VERSION}
    older = installer.fetch(str(tmp_path), "v1.33.1+k3s1")
    assert installer.environment(older) == {"INSTALL_K3S_VERSION": "v1.33.1+k3s1"}


@pytest.mark.parametrize(("machine", "content"), [("x86_64", BINARY), ("aarch64", BINARY + b"arm")])
def test_a_release_of_a_mirror(
    dokku: Host, mirror: FileServer, tmp_path: Path, machine: str, content: bytes
) -> None:
    use_release(dokku, mirror)
    found = installer.fetch(str(tmp_path), machine=machine)
    assert Path(found.binary).read_bytes() == content
    assert installer.environment(found) == {"INSTALL_K3S_SKIP_DOWNLOAD": "true"}


def test_a_mirror_without_digest_is_taken_and_said(
    mirror: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del mirror.answers["/install.sh.sha256sum"]
    installer.fetch(str(tmp_path))
    said = capsys.readouterr()
    assert f"No digest at {mirror.url}/install.sh.sha256sum" in said.out
    assert "is not encrypted" in said.err


def test_each_wrong_installer(mirror: FileServer, tmp_path: Path) -> None:
    url = f"{mirror.url}/install.sh"
    mirror.serve("/install.sh.sha256sum", f"{'0' * 64}  install.sh\n".encode())
    assert refusal(tmp_path) == (
        f"Unable to download k3s installer: {url} has the sha256 digest {sha256(SCRIPT)}, not {'0' * 64} "
        f"as {url}.sha256sum says. It was not run"
    )
    mirror.serve("/install.sh.sha256sum", b"", 503)
    assert refusal(tmp_path).startswith(f"Unable to download k3s installer: {url}.sha256sum answered 503")
    mirror.serve("/install.sh.sha256sum", b"no list\n")
    assert refusal(tmp_path).endswith("has no sha256 digest of install.sh")
    mirror.serve("/install.sh", b"", 404)
    assert refusal(tmp_path) == f"Invalid status code for k3s installer script: 404 ({url})"
    mirror.serve("/install.sh", b"")
    assert refusal(tmp_path).startswith("Invalid k3s installer filesize: ")
    mirror.serve("/install.sh", b"<html>Log in</html>")
    assert refusal(tmp_path) == f"Unable to download k3s installer: {url} is not a script. It was not run"
    mirror.serve("/install.sh", SCRIPT[:5], Content_Length=str(len(SCRIPT)))
    assert refusal(tmp_path).endswith(f"ended after 5 of {len(SCRIPT)} bytes")
    mirror.serve("/install.sh", b"", 302, Location="http://127.0.0.1:9/x")
    assert refusal(tmp_path).endswith("redirects to http://127.0.0.1:9/x, which is not https")
    assert list(tmp_path.glob("k3s*")) == list(tmp_path.glob(".download-*")) == []


def test_each_wrong_release(dokku: Host, mirror: FileServer, tmp_path: Path) -> None:
    use_release(dokku, mirror)
    base = f"{mirror.url}/r/{VERSION}"
    mirror.serve(f"/r/{VERSION}/k3s", BINARY + b"!")
    assert refusal(tmp_path).startswith(f"{base}/k3s has the sha256 digest {sha256(BINARY + b'!')}, not ")
    mirror.serve(f"/r/{VERSION}/k3s", b"", 404)
    assert refusal(tmp_path) == f"{base}/k3s answered 404 Not Found"
    text = b"Not a program"
    mirror.serve(f"/r/{VERSION}/k3s", text)
    mirror.serve(f"/r/{VERSION}/sha256sum-amd64.txt", f"{sha256(text)}  k3s\n".encode())
    assert refusal(tmp_path) == f"{base}/k3s is not a program. It was not installed"
    mirror.serve(f"/r/{VERSION}/sha256sum-amd64.txt", b"")
    assert refusal(tmp_path) == f"{base}/sha256sum-amd64.txt has no sha256 digest of k3s"
    assert not (tmp_path / "k3s").exists()


def test_a_mirror_needs_a_version(dokku: Host, mirror: FileServer, tmp_path: Path) -> None:
    dokku.store("--global", "k3s-release-url", mirror.url)
    assert refusal(tmp_path).startswith("k3s-release-url needs k3s-version. Set it: dokku ")


def test_machines_that_k3s_does_not_run_on(dokku: Host, mirror: FileServer, tmp_path: Path) -> None:
    use_release(dokku, mirror)
    with pytest.raises(PluginError, match=r"^No k3s for a riscv64 machine"):
        installer.fetch(str(tmp_path), machine="riscv64")
