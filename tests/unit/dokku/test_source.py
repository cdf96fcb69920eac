"""A directory of an app's source, which is the user's: whatever is in it, nothing else gets into the copy."""

import os
from pathlib import Path

import pytest
from scheduler_k3s.dokku import source
from scheduler_k3s.errors import PluginError

SECRET = "not for the cluster"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source with a file beside the directory, and a secret outside of all."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "tree/config/kustomize/patches").mkdir(parents=True)
    (tmp_path / "tree/shared.yaml").write_text("shared")
    (tmp_path / "tree/config/kustomize/kustomization.yaml").write_text("resources: []\n")
    (tmp_path / "tree/config/kustomize/patches/web.yaml").write_bytes(b"caf\xe9\n")
    return tmp_path / "tree"


def copy(tree: Path, path: str = "config/kustomize") -> dict[str, bytes]:
    """What the copy holds, by path."""
    target = tree.parent / "copy"
    assert source.copy_tree(str(tree), path, str(target))
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}


def refusal(tree: Path, path: str = "config/kustomize") -> str:
    with pytest.raises(PluginError) as raised:
        source.copy_tree(str(tree), path, str(tree.parent / "copy"))
    return raised.value.message


PLAIN = {"kustomization.yaml": b"resources: []\n", "patches/web.yaml": b"caf\xe9\n"}


def test_files_and_directories(tree: Path) -> None:
    before = os.umask(0)
    try:
        assert copy(tree) == PLAIN
    finally:
        os.umask(before)
    modes = {p.stat().st_mode & 0o777 for p in (tree.parent / "copy").rglob("*") if p.is_file()}
    assert modes == {0o600}


@pytest.mark.parametrize("path", ["none", "shared.yaml", "config/kustomize/kustomization.yaml"])
def test_there_may_be_no_such_directory(tree: Path, path: str) -> None:
    assert not source.copy_tree(str(tree), path, str(tree.parent / "copy"))
    assert not (tree.parent / "copy").exists()


def test_a_link_to_a_file_of_the_tree_becomes_that_file(tree: Path) -> None:
    (tree / "config/kustomize/extra.yaml").symlink_to("../../shared.yaml")
    assert copy(tree) == {**PLAIN, "extra.yaml": b"shared"}
    assert not (tree.parent / "copy/extra.yaml").is_symlink()


@pytest.mark.parametrize("target", ["../../../../secret", "/etc/passwd", "../../../out"])
def test_a_link_out_of_the_tree_is_refused(tree: Path, target: str) -> None:
    (tree / "out").symlink_to("../secret")
    (tree / "config/kustomize/patches/extra.yaml").symlink_to(target)
    text = refusal(tree)
    assert "config/kustomize/patches/extra.yaml of the source is a link that leads out of it" in text


def test_the_directory_itself_may_not_lead_out(tree: Path) -> None:
    (tree.parent / "elsewhere").mkdir()
    (tree / "away").symlink_to("../elsewhere")
    assert "away of the source is a link that leads out of it" in refusal(tree, "away")
    (tree / "parent").symlink_to("..")
    assert "leads out of it" in refusal(tree, "parent/elsewhere")


def test_a_link_to_a_directory_is_refused(tree: Path) -> None:
    (tree / "config/kustomize/loop").symlink_to(".")
    assert "config/kustomize/loop of the source is a link to a directory" in refusal(tree)


def test_a_dangling_link_is_refused(tree: Path) -> None:
    (tree / "config/kustomize/gone.yaml").symlink_to("nothing")
    assert "Unable to read config/kustomize/gone.yaml of the source" in refusal(tree)


def test_special_files_are_refused_without_being_opened(tree: Path) -> None:
    os.mkfifo(tree / "config/kustomize/pipe")
    assert "config/kustomize/pipe of the source is neither a file nor a directory" in refusal(tree)


def test_size_and_number_have_a_bound(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LIMIT", 16)
    assert "too large" in refusal(tree)
    (tree.parent / "copy").rename(tree.parent / "before")
    monkeypatch.setattr(source, "LIMIT", 1000)
    monkeypatch.setattr(source, "ENTRIES", 2)
    assert "too large" in refusal(tree)


DOCKER = """#!/bin/sh
echo "$*" >>"$LOG"
case $1 in
create) echo c0ffee ;;
container) echo /app ;;
cp)
  from=${2#c0ffee:}
  if [ ! -d "$ROOT$from" ]; then echo "Error: Could not find the file $from in container c0ffee" >&2; exit 1; fi
  tar --create --directory "$ROOT$from" . ;;
esac
"""


@pytest.fixture
def image(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker client that reads an image's files from a directory; its calls are in `log`."""
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    (tmp_path / "root").mkdir()
    tree.rename(tmp_path / "root/app")
    monkeypatch.setenv("DOCKER_BIN", str(docker))
    monkeypatch.setenv("ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "root/app/config/kustomize"


def from_image(image: Path) -> dict[str, bytes]:
    target = image.parents[3] / "copy"
    assert source.copy_from_image("registry/app:1", "config/kustomize", str(target))
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}


def test_an_image_s_directory_comes_from_its_working_directory(image: Path, tmp_path: Path) -> None:
    (image / "again.yaml").hardlink_to(image / "kustomization.yaml")
    (image / "same.yaml").symlink_to("patches/web.yaml")
    assert from_image(image) == {
        **PLAIN,
        "again.yaml": b"resources: []\n",
        "same.yaml": b"caf\xe9\n",
    }
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls[0].startswith("create registry/app:1 ")
    assert calls[-1] == "rm --force c0ffee"


def test_an_image_without_the_directory(image: Path, tmp_path: Path) -> None:
    assert not source.copy_from_image("registry/app:1", "config/other", str(tmp_path / "copy"))
    assert (tmp_path / "log").read_text().splitlines()[-1] == "rm --force c0ffee"


def test_links_of_an_image_are_judged_like_those_of_a_tree(image: Path, tmp_path: Path) -> None:
    (image / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(PluginError, match=r"passwd of the source is a link that leads out of it"):
        from_image(image)
    assert (tmp_path / "log").read_text().splitlines()[-1] == "rm --force c0ffee"


def test_a_large_image_is_not_read_to_its_end(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "LIMIT", 1000)
    (image / "large").write_bytes(b"x" * 5_000_000)
    with pytest.raises(PluginError, match="too large"):
        from_image(image)
    assert (tmp_path / "log").read_text().splitlines()[-1] == "rm --force c0ffee"
