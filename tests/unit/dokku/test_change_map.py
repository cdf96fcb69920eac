"""Changing one key of a map property."""

import threading

import pytest
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


def test_keys_come_and_go(dokku: Host) -> None:
    path = dokku.config / "web/m"
    properties.change_map("web", "m", "b/c", "x\ny")
    properties.change_map("web", "m", "a", "é")
    assert path.read_bytes() == '{"a":"é","b/c":"x\\ny"}'.encode()
    assert path.stat().st_mode & 0o777 == 0o600
    properties.change_map("web", "m", "a", "")
    properties.change_map("web", "m", "a", "")
    properties.change_map("web", "m", "b/c", "")
    assert path.read_bytes() == b"{}"


def test_removing_from_nothing_makes_nothing(dokku: Host) -> None:
    properties.change_map("web", "m", "a", "")
    assert not dokku.config.exists()


def test_what_is_no_map_stays_as_it_is(dokku: Host) -> None:
    path = dokku.store("web", "m", "a: b")
    for value, what in (("x", "set"), ("", "delete")):
        with pytest.raises(PluginError) as raised:
            properties.change_map("web", "m", "a", value)
        start = (
            f"Unable to {what} property map entry: Unable to parse scheduler-k3s map property web.m as JSON: "
        )
        assert raised.value.message.startswith(start)
    assert path.read_text() == "a: b"


@pytest.mark.parametrize(("scope", "name"), [("..", "m"), ("web", "../m"), ("web", ".."), ("a/b", "m")])
def test_names_stay_in_their_directory(dokku: Host, scope: str, name: str) -> None:
    for value in ("x", ""):
        with pytest.raises(PluginError, match="Invalid property name"):
            properties.change_map(scope, name, "a", value)
    assert not dokku.config.exists()


def test_changes_at_the_same_time_are_all_kept(dokku: Host) -> None:
    changes = [
        threading.Thread(target=properties.change_map, args=("web", "m", f"k{i}", "v")) for i in range(20)
    ]
    for change in changes:
        change.start()
    for change in changes:
        change.join()
    assert properties.read_map("web", "m") == {f"k{i}": "v" for i in range(20)}


def test_half_characters_do_not_stand_in_the_way(dokku: Host) -> None:
    path = dokku.store("web", "m", '{"\\ud83d":"a\\ud800b","ok":"\\ud83d\\ude00","bytes":"x"}')
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"\xff"'))
    properties.change_map("web", "m", "new", "1")
    stored = path.read_bytes()
    assert stored == '{"bytes":"?","new":"1","ok":"\U0001f600","\ufffd":"a\ufffdb"}'.encode().replace(
        b"?", b"\xff"
    )
