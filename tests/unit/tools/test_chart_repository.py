"""Charts from a repository: only the archive that the index describes gets out."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.chart_repository import ChartRepository
from unit.file_server import FileServer, file_server

ARCHIVE = b"a chart"
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    tools = tmp_path_factory.mktemp("tools")
    (tools / f"python/{sys.implementation.cache_tag}").mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tools))
    with file_server() as found:
        found.serve("/charts/keda-2.19.0.tgz", ARCHIVE)
        yield found


def index(files: FileServer, **entry: object) -> None:
    known = {"version": "2.19.0", "urls": ["keda-2.19.0.tgz"], "digest": DIGEST, **entry}
    others = [{"version": "2.9.0"}, {"version": "2.20.0"}, {"version": "not one"}]
    files.serve("/charts/index.yaml", json.dumps({"entries": {"keda": [*others, known]}}).encode())


def fetched(files: FileServer, folder: Path, version: str = "2.19.0", name: str = "keda") -> bytes:
    with ChartRepository(f"{files.url}/charts/", str(folder)).chart(name, version) as path:
        assert Path(path).parent == folder
        return Path(path).read_bytes()


def refusal(files: FileServer, folder: Path, version: str = "2.19.0", name: str = "keda") -> str:
    with pytest.raises(PluginError) as raised:
        fetched(files, folder, version, name)
    assert list(folder.iterdir()) == []
    return raised.value.message


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"urls": ["/charts/keda-2.19.0.tgz"]},
        {"version": "v2.19.0"},
        {"digest": f"sha256:{DIGEST}"},
        {"digest": None},
        {"urls": []},
    ],
)
def test_the_archive_is_found_by_version(files: FileServer, tmp_path: Path, entry: dict[str, object]) -> None:
    index(files, **entry)
    assert fetched(files, tmp_path) == ARCHIVE
    assert list(tmp_path.iterdir()) == []


def test_an_absolute_url_may_lead_elsewhere(files: FileServer, tmp_path: Path) -> None:
    with file_server() as other:
        other.serve("/k.tgz", ARCHIVE)
        index(files, urls=[f"{other.url}/k.tgz"])
        assert fetched(files, tmp_path) == ARCHIVE


def test_the_index_may_be_yaml_and_is_asked_for_once(files: FileServer, tmp_path: Path) -> None:
    yaml = f"entries:\n  keda:\n  - version: 2.19.0\n    urls: [keda-2.19.0.tgz]\n    digest: {DIGEST}\n"
    files.serve("/charts/index.yaml", yaml.encode())
    repository = ChartRepository(f"{files.url}/charts", str(tmp_path))
    for _ in range(2):
        with repository.chart("keda", "2.19.0") as path:
            assert Path(path).read_bytes() == ARCHIVE
    assert files.asked.count("/charts/index.yaml") == 1


def test_another_archive_than_the_index_says(files: FileServer, tmp_path: Path) -> None:
    index(files)
    files.serve("/charts/keda-2.19.0.tgz", b"another chart")
    assert (
        f"/charts/keda-2.19.0.tgz has the sha256 digest {hashlib.sha256(b'another chart').hexdigest()}, not {DIGEST}"
        in (refusal(files, tmp_path))
    )


def test_what_the_repository_does_not_have(files: FileServer, tmp_path: Path) -> None:
    index(files)
    said = f"{files.url}/charts does not have the chart"
    assert refusal(files, tmp_path, "3.0.0") == (
        f"{said} keda 3.0.0: its newest of that name are 2.20.0, 2.19.0, 2.9.0"
    )
    assert refusal(files, tmp_path, name="vector") == f"{said} vector 2.19.0: it has none of that name"


@pytest.mark.parametrize("text", [b"<html>", b"{", b"[]", b"entries: []", b"a: b: c", b"\xff\xfe"])
def test_what_is_no_index(files: FileServer, tmp_path: Path, text: bytes) -> None:
    files.serve("/charts/index.yaml", text)
    assert refusal(files, tmp_path).endswith("/charts/index.yaml is not the index of a chart repository")
