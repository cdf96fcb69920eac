"""Files of a pushed tree: that of the deploy that is running, else the last one that went through."""

import itertools

import pytest
from scheduler_k3s.dokku import extracted
from unit.dokku_host import Host

PLAIN, OWN, MARKER, OTHER = "Procfile", "Procfile.77", "Procfile.77.missing", "Procfile.8"


@pytest.mark.parametrize("pid", ["77", ""])
def test_every_combination(dokku: Host, monkeypatch: pytest.MonkeyPatch, pid: str) -> None:
    directory = dokku.lib / "data/ps/shop"
    directory.mkdir(parents=True)
    monkeypatch.setenv("DOKKU_PID", pid)
    for there in itertools.product([False, True], repeat=4):
        present = [
            name for name, is_there in zip((PLAIN, OWN, MARKER, OTHER), there, strict=True) if is_there
        ]
        for name in (PLAIN, OWN, MARKER, OTHER):
            (directory / name).unlink(missing_ok=True)
        for name in present:
            (directory / name).write_text(name)
        expected: str | None = PLAIN if PLAIN in present else None
        if pid and OWN in present:
            expected = OWN
        if pid and MARKER in present:
            expected = None
        assert extracted.read("ps", "shop", "Procfile") == expected, present


def test_a_directory_is_found_too(dokku: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = dokku.data / "shop/kustomization.77"
    directory.mkdir(parents=True)
    monkeypatch.setenv("DOKKU_PID", "77")
    assert extracted.path("scheduler-k3s", "shop", "kustomization") == str(directory)


def test_bytes_that_are_no_text_are_kept(dokku: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOKKU_PID", raising=False)
    path = dokku.lib / "data/ps/shop/Procfile"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"web: caf\xe9\n")
    text = extracted.read("ps", "shop", "Procfile")
    assert text is not None
    assert text.encode("utf-8", "surrogateescape") == b"web: caf\xe9\n"
