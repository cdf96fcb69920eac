"""A storage entry of dokku as it tells it: JSON text -> checked fields. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler_k3s import quantity, values
from scheduler_k3s.errors import PluginError

NAMESPACE = "default"
ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
RECLAIM_POLICIES = ("Retain", "Delete", "Recycle")
_LONGEST = 45


@dataclass(frozen=True)
class Entry:
    """`storage_class` empty means the cluster's default one, or none at all with a `host_path`."""

    name: str
    scheduler: str = "docker-local"
    size: str = ""
    host_path: str = ""
    access_mode: str = ACCESS_MODES[0]
    storage_class: str = ""
    namespace: str = NAMESPACE
    reclaim_policy: str = RECLAIM_POLICIES[0]
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        return f"storage-{self.name}"


def parse(name: str, text: str) -> Entry:
    """The entry called `name`. Errors: PluginError for what is no entry of that name."""
    try:
        given = json.loads(text)
        own = given["name"]
    except (ValueError, KeyError, TypeError):
        raise PluginError(
            f"dokku's description of storage entry {name} is not a JSON object with a name"
        ) from None
    if own != name:
        raise PluginError(f"dokku's description of storage entry {name} is that of {own}")
    if len(name) > _LONGEST or not values.is_label(name):
        raise PluginError(
            f"Invalid storage entry name: {name}, it must be lowercase letters, digits and '-', at most {_LONGEST}"
        )
    texts = {
        key: str(value)
        for key, value in given.items()
        if isinstance(value, (str, int)) and value not in ("", None)
    }
    known = {
        key: texts[key]
        for key in (
            "name",
            "scheduler",
            "size",
            "host_path",
            "access_mode",
            "storage_class",
            "namespace",
            "reclaim_policy",
        )
        if key in texts
    }
    return Entry(
        **known,
        annotations=_map(given.get("annotations")),
        labels=_map(given.get("labels")),
        unused=_unused(texts),
    )


def check(entry: Entry) -> None:
    """Errors: PluginError with the field, its value and the command that mends it."""
    if not entry.size:
        _refuse(entry, "size", "it is missing", "1Gi")
    try:
        amount = quantity.parse(entry.size)
    except PluginError:
        amount = None
    if amount is None or amount <= 0:
        _refuse(entry, "size", f"{entry.size} is no amount that Kubernetes knows", "1Gi")
    if entry.access_mode not in ACCESS_MODES:
        _refuse(
            entry, "access-mode", f"{entry.access_mode} is none of {', '.join(ACCESS_MODES)}", ACCESS_MODES[0]
        )
    if entry.reclaim_policy not in RECLAIM_POLICIES:
        wrong = f"{entry.reclaim_policy} is none of {', '.join(RECLAIM_POLICIES)}"
        _refuse(entry, "reclaim-policy", wrong, RECLAIM_POLICIES[0])
    if not values.is_label(entry.namespace):
        _refuse(entry, "namespace", f"{entry.namespace} is no name of a namespace", NAMESPACE)
    if entry.host_path and not entry.host_path.startswith("/"):
        raise PluginError(
            f"Storage entry {entry.name}: host path {entry.host_path} must be absolute, as /srv/data is"
        )


def warnings(entry: Entry) -> list[str]:
    return [f"Storage entry {entry.name}: {name} has no effect in Kubernetes" for name in entry.unused]


def _unused(texts: Mapping[str, str]) -> tuple[str, ...]:
    """What is set but cannot be done. A storage class has a reclaim policy of its own."""
    found = ["mode"] if "mode" in texts else []
    if "reclaim_policy" in texts and "host_path" not in texts:
        found.append("reclaim-policy without a host path (the storage class has its own)")
    if "storage_class" in texts and "host_path" in texts:
        found.append("storage-class with a host path")
    return tuple(found)


def _map(given: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}


def _refuse(entry: Entry, name: str, why: str, example: str) -> None:
    raise PluginError(
        f"Storage entry {entry.name}: {name}: {why}. For example: dokku storage:set {entry.name} {name} {example}"
    )
