"""What preview shows of two releases."""

import base64
from typing import Any

import pytest
from scheduler_k3s import difference
from scheduler_k3s.difference import ADDED, CHANGED, REMOVED, Change


def item(
    kind: str = "Deployment", name: str = "web", version: str = "apps/v1", **fields: Any
) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]], context: int = 3) -> list[Change]:
    return difference.changes(before, after, "default", context=context, mask=difference.masked)


def text(change: Change) -> str:
    return "\n".join([change.title, *map(str, change.lines)])


def test_a_changed_object_with_its_surroundings() -> None:
    before = item(spec={"replicas": 1, "z": ["a", {"b": "c"}]})
    after = item(spec={"replicas": 3, "z": ["a", {"b": "c"}]})
    (change,) = changes([before], [after], context=2)
    assert text(change) == (
        "default, web, Deployment (apps) has changed:\n"
        "...\n"
        "    name: web\n"
        "  spec:\n"
        "-   replicas: 1\n"
        "+   replicas: 3\n"
        "    z:\n"
        "    - a\n"
        "..."
    )


def test_equal_objects_in_another_order_are_no_change() -> None:
    assert changes([item(spec={"a": 1, "b": 2})], [dict(reversed(item(spec={"b": 2, "a": 1}).items()))]) == []


def test_changed_then_removed_then_added_each_by_identity() -> None:
    before = [item(name="z", spec=1), item(name="y", spec=1), item(name="old"), item(name="gone")]
    after = [item(name="z", spec=2), item(name="y", spec=2), item(name="new"), item(name="fresh")]
    found = [(change.kind, change.identity.split(", ")[1]) for change in changes(before, after)]
    assert found == [
        (CHANGED, "y"),
        (CHANGED, "z"),
        (REMOVED, "gone"),
        (REMOVED, "old"),
        (ADDED, "fresh"),
        (ADDED, "new"),
    ]


@pytest.mark.parametrize(
    ("version", "group"), [("v1", "v1"), ("apps/v1", "apps"), ("keda.sh/v1alpha1", "keda.sh"), ("", "")]
)
def test_the_identity_names_the_api_group(version: str, group: str) -> None:
    assert difference.identity(item(version=version), "ns") == f"ns, web, Deployment ({group})"


def test_an_object_of_another_namespace_or_base_name_is_another_one() -> None:
    moved = item()
    moved["metadata"]["namespace"] = "other"
    assert difference.identity(moved, "ns") == "other, web, Deployment (apps)"
    renamed = item()
    renamed["metadata"]["annotations"] = {"helm-diff/base-name": "base"}
    assert difference.identity(renamed, "ns") == "ns, base, Deployment (apps)"


def test_added_and_removed_objects_are_whole() -> None:
    (added,) = changes([], [item()])
    assert text(added).endswith("+   name: web\n")
    assert [line.sign for line in added.lines] == ["+", "+", "+", "+", " "]
    (bare,) = changes([], [item()], context=0)
    assert str(bare.lines[-1]) == "..."


def test_lists_are_unfolded_and_kept_objects_are_not_removed() -> None:
    folded = {"apiVersion": "v1", "kind": "List", "items": [item()]}
    assert changes([folded], [item()]) == []
    kept = item()
    kept["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    assert changes([kept], []) == []


def test_all_lines_with_a_negative_context() -> None:
    many = {f"k{index:02}": 0 for index in range(40)}
    (change,) = changes([item(spec=many)], [item(spec={**many, "k20": 1})], context=-1)
    assert not [line for line in change.lines if line.sign == "."]
    (short,) = changes([item(spec=many)], [item(spec={**many, "k20": 1})], context=1)
    assert [line.sign for line in short.lines] == [".", " ", "-", "+", " ", "."]


def secret(**values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return item("Secret", "config", "v1", data=data)


def test_values_of_secrets_are_never_shown_unless_asked_for() -> None:
    before, after = secret(SAME="hunter2", OTHER="old-pass"), secret(SAME="hunter2", OTHER="new-password")
    (change,) = changes([before], [after], context=-1)
    shown = text(change)
    assert "REDACTED # (7 bytes)" in shown
    assert "-   OTHER: '-------- # (8 bytes)'" in shown
    assert "+   OTHER: '++++++++ # (12 bytes)'" in shown
    for value in ("hunter2", "old-pass", "new-password"):
        assert value not in shown
        assert base64.b64encode(value.encode()).decode() not in shown


def test_values_of_secrets_on_request() -> None:
    before, after = secret(KEY="old"), secret(KEY="new")
    (raw,) = difference.changes([before], [after], "ns", context=3, mask=difference.shown)
    assert "bmV3" in text(raw)
    (plain,) = difference.changes([before], [after], "ns", context=3, mask=difference.decoded)
    assert "+   KEY: new" in text(plain)
    assert "stringData:" in text(plain)
