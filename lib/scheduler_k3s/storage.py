"""Which volumes an app's containers get: dokku's storage attachments -> mounts of claims."""

from collections.abc import Mapping, Sequence
from typing import Any

from scheduler_k3s.app import Mount
from scheduler_k3s.errors import PluginError

Pair = Mapping[str, Mapping[str, Any]]
"""One attachment as dokku tells it: `{"entry": {...}, "attachment": {...}}`."""

ALL_PROCESSES = "_default_"
SHM = "/dev/shm"
_NAMESPACE = "default"


def mounts(app: str, namespace: str, pairs: Sequence[Pair], shm_size: str = "") -> tuple[Mount, ...]:
    """Errors: PluginError for an entry that no pod in `namespace` can use, and for two at one place."""
    found: list[Mount] = []
    taken = {SHM: "shm-size"} if shm_size else {}
    for pair in pairs:
        mount = _mount(app, namespace, pair)
        place = mount.path.rstrip("/") or "/"
        if place in taken:
            raise PluginError(
                f"Storage entry {mount.claim} and {taken[place]} of {app} would both be at {mount.path}. "
                f"Take one away, for example with: dokku storage:unmount {app} {mount.claim}:{mount.path}"
            )
        taken[place] = f"storage entry {mount.claim}"
        found.append(mount)
    return tuple(found)


def warnings(app: str, pairs: Sequence[Pair]) -> list[str]:
    """What of the attachments has no effect in Kubernetes."""
    told = []
    for pair in pairs:
        attachment = pair["attachment"]
        name = f"Storage entry {_name(pair)} of {app}"
        if (type_ := attachment.get("process_type") or ALL_PROCESSES) != ALL_PROCESSES:
            told.append(
                f"{name} is mounted in every process, not in {type_} alone: all pods get the same volumes"
            )
        if attachment.get("volume_chown"):
            told.append(f"{name}: its owner in the container (volume-chown) has no effect in Kubernetes")
        if ignored := [option for option in _options(attachment) if option not in ("ro", "rw")]:
            told.append(f"{name}: volume options have no effect in Kubernetes: {', '.join(ignored)}")
    return told


def _mount(app: str, namespace: str, pair: Pair) -> Mount:
    entry, attachment, name = pair["entry"], pair["attachment"], _name(pair)
    path = str(attachment.get("container_path") or "")
    scheduler = entry.get("scheduler") or "docker-local"
    if scheduler != "k3s":
        raise PluginError(
            f"Storage entry {name}, mounted by {app} at {path}, is of scheduler {scheduler}: pods cannot reach it\n"
            f"Make one in the cluster with: dokku storage:create NAME --scheduler k3s --size 1Gi, mount that, and "
            f"take this one away with: dokku storage:unmount {app} {name}:{path}"
        )
    home = entry.get("namespace") or _NAMESPACE
    if home != namespace:
        raise PluginError(
            f"Storage entry {name}, mounted by {app} at {path}, is in namespace {home}, but {app} runs in namespace "
            f"{namespace}, and pods use claims of their own namespace only\n"
            f"Move the app with: dokku scheduler-k3s:set {app} namespace {home}, "
            f"or make an entry with --namespace {namespace}"
        )
    read_only = attachment.get("readonly") is True or "ro" in _options(attachment)
    return Mount(name, path, str(attachment.get("subpath") or ""), read_only)


def _name(pair: Pair) -> str:
    return str(pair["entry"].get("name") or pair["attachment"].get("entry_name") or "")


def _options(attachment: Mapping[str, Any]) -> list[str]:
    return [option for option in str(attachment.get("volume_options") or "").split(",") if option]
