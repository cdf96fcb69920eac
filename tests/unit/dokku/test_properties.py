"""The property store: what is on disk, and that whatever is written comes back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host

LIB = Path(__file__).parents[3] / "lib"
ours = profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
names = st.text(min_size=1, max_size=40).filter(lambda text: not set(text) & {"/", "\0"} and text[0] != ".")


@given(name=names, value=st.text())
@ours
def test_what_is_written_comes_back_byte_for_byte(dokku: Host, name: str, value: str) -> None:
    properties.write("web", name, value)
    assert properties.read("web", name) == value
    assert (dokku.config / "web" / name).read_bytes() == value.encode()
    properties.delete("web", name)
    assert properties.read("web", name) == ""


@given(content=st.binary())
@ours
def test_any_bytes_are_read_and_written_back(dokku: Host, content: bytes) -> None:
    path = dokku.store("web", "x", "")
    path.write_bytes(content)
    properties.write("copy", "x", properties.read("web", "x"))
    assert (dokku.config / "copy/x").read_bytes() == content


@given(st.dictionaries(st.text(), st.text()))
@ours
def test_maps_come_back_and_are_compact_json_in_byte_order(dokku: Host, value: dict[str, str]) -> None:
    properties.write_map("web", "web.pod", value)
    assert properties.read_map("web", "web.pod") == value
    text = (dokku.config / "web/web.pod").read_text()
    assert json.loads(text, object_pairs_hook=list) == sorted(value.items(), key=lambda pair: pair[0])


def test_an_emptied_map_is_braces_and_nothing_is_an_empty_map(dokku: Host) -> None:
    properties.write_map("web", "a.b", {})
    assert (dokku.config / "web/a.b").read_text() == "{}"
    dokku.store("web", "c.d", "")
    assert properties.read_map("web", "c.d") == properties.read_map("web", "none") == {}


@pytest.mark.parametrize("content", ["{", "[1]", "a: b"])
def test_a_broken_map_is_named(dokku: Host, content: str) -> None:
    dokku.store("web", "web.pod", content)
    with pytest.raises(
        PluginError, match=r"Unable to parse scheduler-k3s map property web\.web\.pod as JSON: "
    ):
        properties.read_map("web", "web.pod")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a\0b", "x" * 300])
@pytest.mark.parametrize("as_scope", [True, False])
def test_names_stay_one_path_component(dokku: Host, name: str, as_scope: bool) -> None:
    scope, key = (name, "x") if as_scope else ("web", name)
    with pytest.raises(PluginError, match="Invalid property name"):
        properties.write(scope, key, "value")
    assert not dokku.config.exists()


def test_modes(dokku: Host) -> None:
    before = os.umask(0o077)
    try:
        properties.write("web", "x", "1")
    finally:
        os.umask(before)
    assert (dokku.config / "web").stat().st_mode & 0o777 == 0o755
    assert (dokku.config / "web/x").stat().st_mode & 0o777 == 0o600


def test_a_listing_passes_over_directories_and_writes_that_were_cut_off(dokku: Host) -> None:
    dokku.store("web", "b", "")
    dokku.store("web", "a", "1")
    dokku.store("web", ".a.123", "")
    (dokku.config / "web/folder").mkdir()
    assert properties.names("web") == ["a", "b"]
    assert properties.names("none") == []


def test_clone_keeps_what_only_the_target_has(dokku: Host) -> None:
    dokku.store("old", "a", "1")
    dokku.store("new", "a", "0")
    dokku.store("new", "b", "2")
    properties.clone("old", "new")
    assert {name: properties.read("new", name) for name in properties.names("new")} == {"a": "1", "b": "2"}


def test_destroy_leaves_the_files_of_others(dokku: Host) -> None:
    dokku.store("web", "a", "1")
    properties.destroy("web")
    properties.destroy("web")
    assert not (dokku.config / "web").exists()


def test_a_reader_never_sees_a_part_of_a_value(dokku: Host) -> None:
    """A second process writes two long values in turn; every read is one of them."""
    values = {"a" * 100_000, "b" * 100_000}
    properties.write("web", "x", "a" * 100_000)
    script = (
        f"import sys; sys.path.insert(0, {str(LIB)!r})\n"
        "from scheduler_k3s.dokku import properties\n"
        "for turn in range(60):\n"
        "    properties.write('web', 'x', 'ab'[turn % 2] * 100_000)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as writer:
        while writer.poll() is None:
            assert properties.read("web", "x") in values
    assert writer.returncode == 0


def test_a_full_or_unwritable_disk_leaves_the_old_value(dokku: Host) -> None:
    """A directory in the way of the temporary file stands for any failing write, whoever runs the test."""
    path = dokku.store("web", "x", "old")
    (path.parent / f".x.{os.getpid()}").mkdir()
    with pytest.raises(PluginError, match=f"^Unable to write {path}: "):
        properties.write("web", "x", "new")
    assert path.read_text() == "old"
