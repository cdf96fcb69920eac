"""Which revisions a helm release has, without what is in them: enough for most questions, and cheap to ask."""

import os

from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scheduler_k3s.tools.cluster import Cluster, Object

_KINDS = {
    "": "secrets",
    "secret": "secrets",
    "secrets": "secrets",
    "configmap": "configmaps",
    "configmaps": "configmaps",
}


def revisions_of(cluster: "Cluster", namespace: str, release: str) -> "list[Object]":
    """The metadata of all revisions, oldest first. Errors: PluginError."""
    entries = cluster.list(records_path(namespace), labels=f"owner=helm,name={release}", metadata_only=True)
    return sorted(entries, key=lambda entry: int(entry["metadata"]["labels"].get("version", 0)))


def records_path(namespace: str) -> str:
    """Where helm keeps its records, by the HELM_DRIVER that it reads too. Errors: PluginError."""
    driver = os.environ.get("HELM_DRIVER", "")
    if driver not in _KINDS:
        raise PluginError(f"HELM_DRIVER is {driver!r}: only secret and configmap are supported")
    return f"/api/v1/namespaces/{name(namespace)}/{_KINDS[driver]}"
