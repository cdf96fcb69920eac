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
    decorations.check(key, "v", "", "pod")
    decorations.check(key, "v", LABELS, "pod")


@pytest.mark.parametrize(
    "key", ["-a", "a-", ".", "a b", "a\n", "ä", "/a", "a/", "a/b/c", "a_b/c", "a..b/c", "x" * 64, "{{ }}"]
)
@pytest.mark.parametrize("prefix", ["", LABELS])
def test_refused_keys(key: str, prefix: str) -> None:
    with pytest.raises(PluginError, match=f"^Invalid {decorations.noun(prefix)} key: "):
        decorations.check(key, "v", prefix, "pod")


def test_only_annotations_take_a_domain_with_capitals() -> None:
    decorations.check("Example.com/a", "v", "", "pod")
    with pytest.raises(PluginError):
        decorations.check("Example.com/a", "v", LABELS, "pod")


@pytest.mark.parametrize("value", ["-a", "a-", "a b", "a\n", "a/b", "x" * 64, "é", "."])
def test_values_that_only_annotations_take(value: str) -> None:
    decorations.check("a", value, "", "pod")
    with pytest.raises(PluginError, match=r"^Invalid label value: "):
        decorations.check("a", value, LABELS, "pod")


def test_values_are_utf_8() -> None:
    with pytest.raises(PluginError, match="UTF-8"):
        decorations.check("a", "\udcff", "", "pod")


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


OWN = [("dokku.com/managed", "pod"), ("dokku.com/x", "service")]


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        *OWN,
        ("helm.sh/hook", "job"),
        ("helm.sh/hook-weight", "pod"),
        ("helm.sh/resource-policy", "secret"),
        ("meta.helm.sh/release-name", "ingress"),
        ("app.kubernetes.io/version", "pod"),
        ("app.kubernetes.io/version", "cronjob"),
    ],
)
def test_annotations_that_dokku_and_helm_go_by(key: str, resource: str) -> None:
    with pytest.raises(PluginError, match=f"^Invalid annotation key: {key} (is|would) "):
        decorations.check(key, "v", "", resource)


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        *OWN,
        ("app.kubernetes.io/name", "pod"),
        ("app.kubernetes.io/instance", "deployment"),
        ("app.kubernetes.io/part-of", "ingress"),
        ("app.kubernetes.io/managed-by", "service"),
    ],
)
def test_labels_that_dokku_finds_objects_by(key: str, resource: str) -> None:
    with pytest.raises(PluginError, match=f"^Invalid label key: {key} is dokku's own: it finds"):
        decorations.check(key, "v", LABELS, resource)


@pytest.mark.parametrize(
    ("key", "prefix", "resource"),
    [
        ("app.kubernetes.io/version", LABELS, "pod"),
        ("app.kubernetes.io/version", "", "service"),
        ("app.kubernetes.io/component", LABELS, "pod"),
        ("app.kubernetes.io/name", "", "pod"),
        ("helm.sh/chart", "", "pod"),
        ("kubectl.kubernetes.io/default-container", "", "pod"),
    ],
)
def test_other_keys_of_these_domains(key: str, prefix: str, resource: str) -> None:
    decorations.check(key, "v", prefix, resource)
