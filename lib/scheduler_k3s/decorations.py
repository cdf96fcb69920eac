"""Annotations and labels that users set: for which resource types, and in which property files they are."""

from collections.abc import Iterable, Iterator

ANNOTATED = (
    "certificate",
    "cronjob",
    "deployment",
    "ingress",
    "job",
    "keda_scaled_object",
    "keda_secret",
    "keda_trigger_authentication",
    "pod",
    "secret",
    "service",
    "serviceaccount",
    "traefik_ingressroute",
    "traefik_middleware",
)
LABELLED = tuple(kind for kind in ANNOTATED if not kind.startswith("keda_"))
LABELS = "labels."
_RESERVED = ("chart.", "chart-overrides.", LABELS, "node-profile-", "node-sysctls.", "trigger-auth.")


def files(names: Iterable[str], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Property name and `<process>.<resource>` of each file that holds annotations, or with `labels.` labels."""
    kinds = LABELLED if prefix else ANNOTATED
    for name in names:
        if not name.startswith(prefix) or (not prefix and name.startswith(_RESERVED)):
            continue
        process, dot, resource = name[len(prefix) :].rpartition(".")
        if dot and process and resource in kinds:
            yield name, f"{process}.{resource}"
