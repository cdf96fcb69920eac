"""What a node of the cluster is, as the API tells it. Pure."""

from scheduler_k3s.errors import PluginError
from scheduler_k3s.remote_host import without_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

REMOTE_HOST = "dokku.com/remote-host"
"""Annotation of the nodes that `cluster:add` joined: how their host is reached. Other nodes are not ours to remove."""
PROFILE = "dokku.com/node-profile"
PATH = "/api/v1/nodes"
_ROLE = "node-role.kubernetes.io/"


class Node:
    __slots__ = (
        "addresses",
        "is_cordoned",
        "is_ready",
        "labels",
        "name",
        "reason",
        "remote_host",
        "roles",
        "version",
    )

    def __init__(self, item: "dict[str, Any]") -> None:
        metadata, status = item["metadata"], item.get("status") or {}
        self.name: str = metadata["name"]
        self.labels: dict[str, str] = metadata.get("labels") or {}
        self.remote_host = without_password((metadata.get("annotations") or {}).get(REMOTE_HOST, ""))
        self.version: str = (status.get("nodeInfo") or {}).get("kubeletVersion", "")
        self.addresses = {entry["address"] for entry in status.get("addresses") or ()}
        self.is_cordoned = bool((item.get("spec") or {}).get("unschedulable"))
        ready: dict[str, str] = next(
            (entry for entry in status.get("conditions") or () if entry["type"] == "Ready"), {}
        )
        self.is_ready = ready.get("status") == "True"
        self.reason = _told(ready) or "it has not reported yet"
        self.roles = _roles(self.labels)

    @property
    def is_server(self) -> bool:
        return "control-plane" in self.roles

    @property
    def has_etcd(self) -> bool:
        return "etcd" in self.roles


def oldest_version(nodes: "Sequence[Node]") -> str:
    """The lowest version that a server runs: no node may be newer. Errors: PluginError."""
    servers = [node for node in nodes if node.is_server]
    if not servers:
        raise PluginError(
            "Unable to get lowest node version: no nodes found in the cluster with the label "
            f"{_ROLE}control-plane=true"
        )
    versions = [(number, node.version) for node in servers if (number := _number(node.version))]
    if not versions:
        raise PluginError("Unable to get lowest node version: no valid kubelet versions found")
    return min(versions)[1]


def quorum_risk(leaving: Node, nodes: "Sequence[Node]") -> str:
    """Why the cluster could not lose this server, "" when it can.

    Servers agree by majority: on the removal itself, with the one that leaves, and on everything after it.
    """
    if not leaving.is_server:
        return ""
    others = [node for node in nodes if node.is_server and node.name != leaving.name]
    if not others:
        return f"{leaving.name} is the last server of the cluster"
    members = [node for node in others if node.has_etcd]
    if not leaving.has_etcd or not members:
        return ""
    ready = sum(node.is_ready for node in members)
    needed = (len(members) + 1) // 2 + 1
    if ready + leaving.is_ready < needed:
        return f"{ready + leaving.is_ready} of {len(members) + 1} servers are ready, and etcd needs {needed} to agree"
    needed = len(members) // 2 + 1
    if ready < needed:
        down = ", ".join(sorted(node.name for node in members if not node.is_ready))
        return f"{ready} of {len(members)} servers would be ready without it, and etcd needs {needed} (not: {down})"
    return ""


def _told(condition: "dict[str, str]") -> str:
    """Its reason, a word, and its message."""
    return ": ".join(text for text in (condition.get("reason"), condition.get("message")) if text)


def _number(version: str) -> tuple[int, ...]:
    """The parts of a version to compare by; what follows `+` or `-` does not count. Empty for no version."""
    plain = version.removeprefix("v").partition("+")[0].partition("-")[0].split(".")
    return tuple(map(int, plain)) if len(plain) == 3 and all(part.isdecimal() for part in plain) else ()


def _roles(labels: "dict[str, str]") -> list[str]:
    """Sorted. Labels of workers have the value `worker`."""
    if role := labels.get("kubernetes.io/role"):
        return [role]
    found = {
        key[len(_ROLE) :]: value
        for key, value in labels.items()
        if key.startswith(_ROLE) and len(key) > len(_ROLE)
    }
    return sorted(role for role, value in found.items() if value in ("true", role))
