"""Every way in which a download can be wrong leaves nothing behind."""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import download
from unit.file_server import FileServer, file_server

BODY = os.urandom(3_000_000)
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def files() -> Iterator[FileServer]:
    with file_server() as server:
        yield server


def refusal(url: str, directory: Path, digest: str = DIGEST) -> str:
    with pytest.raises(PluginError) as raised, download.verified(url, digest, str(directory)):
        pytest.fail("a wrong download was handed out")
    assert list(directory.iterdir()) == []
    return raised.value.message


def test_the_right_file_is_private_and_gone_afterwards(files: FileServer, tmp_path: Path) -> None:
    files.serve("/x", BODY)
    with download.verified(f"{files.url}/x", DIGEST, str(tmp_path)) as path:
        assert Path(path).read_bytes() == BODY
        assert Path(path).parent == tmp_path
        assert Path(path).stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_moved_away_stays(files: FileServer, tmp_path: Path) -> None:
    files.serve("/x", BODY)
    with download.verified(f"{files.url}/x", DIGEST, str(tmp_path)) as path:
        os.replace(path, tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == BODY


def test_each_wrong_answer_has_its_message(files: FileServer, tmp_path: Path) -> None:
    files.serve("/gone", b"", 410)
    files.serve("/page", b"<html>Log in</html>", Content_Type="text/html; charset=utf-8")
    files.serve("/short", BODY[:1000], Content_Length=str(len(BODY)))
    files.serve("/other", b"something else")
    files.serve("/down", b"", 302, Location=f"{files.url}/x")
    files.serve("/ftp", b"", 301, Location="ftp://127.0.0.1/x")
    files.serve("/x", BODY)
    other = hashlib.sha256(b"something else").hexdigest()
    url = files.url
    assert refusal(f"{url}/none", tmp_path) == f"{url}/none answered 404 Not Found"
    assert refusal(f"{url}/gone", tmp_path) == f"{url}/gone answered 410 Gone"
    assert refusal(f"{url}/page", tmp_path) == f"{url}/page answered with a web page instead of the file"
    assert refusal(f"{url}/short", tmp_path) == f"{url}/short ended after 1000 of {len(BODY)} bytes"
    assert refusal(f"{url}/other", tmp_path) == (
        f"{url}/other has the sha256 digest {other}, not {DIGEST}. It was not installed"
    )
    assert refusal(f"{url}/down", tmp_path) == f"{url}/down redirects to {url}/x, which is not https"
    assert refusal(f"{url}/ftp", tmp_path) == f"{url}/ftp redirects to ftp://127.0.0.1/x, which is not https"
    assert "/x" not in files.asked


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/x"
        assert refusal(url, tmp_path) == f"Unable to download {url}: Connection refused"


def test_a_file_without_end_is_cut_off(
    files: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LIMIT", 1_000_000)
    files.serve("/x", BODY)
    assert "is larger than 1000000 bytes" in refusal(f"{files.url}/x", tmp_path)


def test_a_failure_of_the_reader_removes_the_file_too(files: FileServer, tmp_path: Path) -> None:
    files.serve("/x", BODY)
    with pytest.raises(KeyboardInterrupt), download.verified(f"{files.url}/x", DIGEST, str(tmp_path)):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
