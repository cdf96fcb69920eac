"""Storage attachments: which are mounted, and which no pod of the app could use."""

from typing import Any

import pytest
from scheduler_k3s import storage
from scheduler_k3s.app import Mount
from scheduler_k3s.errors import PluginError


def pair(path: str = "/data", entry: dict[str, Any] | None = None, **attachment: Any) -> dict[str, Any]:
    default = {"name": "vol", "scheduler": "k3s"}
    return {
        "entry": {**default, **(entry or {})},
        "attachment": {"container_path": path, "phases": ["deploy"], **attachment},
    }


def refusal(*pairs: dict[str, Any], shm_size: str = "", namespace: str = "default") -> str:
    with pytest.raises(PluginError) as raised:
        storage.mounts("shop", namespace, pairs, shm_size)
    return raised.value.message


def test_what_an_attachment_says() -> None:
    pairs = [
        pair("/a", process_type="_default_", subpath="", readonly=False),
        pair("/b", subpath="in/side", readonly=True),
        pair("/c", volume_options="ro"),
        pair("/d", {"name": "other", "namespace": "default"}),
    ]
    assert storage.mounts("shop", "default", pairs) == (
        Mount("vol", "/a"),
        Mount("vol", "/b", "in/side", True),
        Mount("vol", "/c", "", True),
        Mount("other", "/d"),
    )


@pytest.mark.parametrize("scheduler", ["docker-local", ""])
def test_a_directory_of_the_host_is_refused(scheduler: str) -> None:
    text = refusal(pair("/data", {"scheduler": scheduler}))
    assert "Storage entry vol, mounted by shop at /data, is of scheduler docker-local" in text
    assert "dokku storage:create NAME --scheduler k3s" in text
    assert text.endswith("dokku storage:unmount shop vol:/data")


@pytest.mark.parametrize(
    ("entry", "home"), [({}, "default"), ({"namespace": "default"}, "default"), ({"namespace": "b"}, "b")]
)
def test_a_claim_of_another_namespace_is_refused(entry: dict[str, str], home: str) -> None:
    text = refusal(pair(entry=entry), namespace="team")
    assert f"is in namespace {home}, but shop runs in namespace team" in text
    assert f"dokku scheduler-k3s:set shop namespace {home}" in text


def test_a_claim_of_the_app_s_own_namespace_is_taken() -> None:
    assert storage.mounts("shop", "team", [pair(entry={"namespace": "team"})]) == (Mount("vol", "/data"),)


@pytest.mark.parametrize("other", ["/data", "/data/"])
def test_two_entries_at_one_place_are_refused(other: str) -> None:
    text = refusal(pair("/data"), pair(other, {"name": "second"}))
    assert text.startswith("Storage entry second and storage entry vol of shop would both be at /data")


def test_shared_memory_has_its_place() -> None:
    assert "shm-size" in refusal(pair("/dev/shm"), shm_size="64Mi")
    assert storage.mounts("shop", "default", [pair("/dev/shm")])


def test_what_has_no_effect_is_said() -> None:
    pairs = [
        pair("/a", process_type="worker"),
        pair("/b", volume_chown="herokuish"),
        pair("/c", volume_options="ro,z"),
        pair("/d", process_type="_default_", volume_options="ro", volume_chown=""),
        pair("/e", process_type=None, volume_options=None),
    ]
    told = storage.warnings("shop", pairs)
    assert [text.rpartition(" ")[2] for text in told] == ["volumes", "Kubernetes", "z"]
    assert "not in worker alone" in told[0]
    assert "volume-chown" in told[1]
