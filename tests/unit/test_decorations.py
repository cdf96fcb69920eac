"""Which keys and values annotations and labels may have, and for which processes and resource types."""

import pytest
from scheduler_k3s import decorations
from scheduler_k3s.decorations import LABELS
from scheduler_k3s.errors import PluginError


@pytest.mark.parametrize(
    "key",
    ["a", "A", "9", "a_b.c-d", "example.com/a", "a.b-c/X_y", "x" * 63, "a." * 126 + "a/" + "x" * 63],
)
def test_keys_of_both(key: str) -> None:
    decorations.check(key, "v", "")
    decorations.check(key, "v", LABELS)


@pytest.mark.parametrize(
    "key", ["-a", "a-", ".", "a b", "a\n", "ä", "/a", "a/", "a/b/c", "a_b/c", "a..b/c", "x" * 64, "{{ }}"]
)
@pytest.mark.parametrize("prefix", ["", LABELS])
def test_refused_keys(key: str, prefix: str) -> None:
    with pytest.raises(PluginError, match=f"^Invalid {decorations.noun(prefix)} key: "):
        decorations.check(key, "v", prefix)


def test_only_annotations_take_a_domain_with_capitals() -> None:
    decorations.check("Example.com/a", "v", "")
    with pytest.raises(PluginError):
        decorations.check("Example.com/a", "v", LABELS)


@pytest.mark.parametrize("value", ["-a", "a-", "a b", "a\n", "a/b", "x" * 64, "é", "."])
def test_values_that_only_annotations_take(value: str) -> None:
    decorations.check("a", value, "")
    with pytest.raises(PluginError, match=r"^Invalid label value: "):
        decorations.check("a", value, LABELS)


def test_values_are_utf_8() -> None:
    with pytest.raises(PluginError, match="UTF-8"):
        decorations.check("a", "\udcff", "")


@pytest.mark.parametrize("process", ["web", "Worker", "a_b", "2z18j67", "node-profile", "global"])
def test_process_types(process: str) -> None:
    decorations.check_process(process, "")
    decorations.check_process(process, LABELS)


@pytest.mark.parametrize("process", ["", ".", "a.b", "a/b", "-a", "_a", "a b", "ä"])
@pytest.mark.parametrize("prefix", ["", LABELS])
def test_refused_process_types(process: str, prefix: str) -> None:
    with pytest.raises(PluginError, match=r"^Invalid process-type: "):
        decorations.check_process(process, prefix)


@pytest.mark.parametrize("process", ["labels", "chart", "chart-overrides", "trigger-auth", "node-sysctls"])
def test_a_process_whose_annotations_would_read_as_something_else(process: str) -> None:
    with pytest.raises(PluginError, match=r"^Invalid process-type: "):
        decorations.check_process(process, "")
    decorations.check_process(process, LABELS)
