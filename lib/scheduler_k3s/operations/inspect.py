"""scheduler-inspect: the app's pods as the cluster knows them, without what may be secret."""

import json
from typing import Any

from scheduler_k3s import pods
from scheduler_k3s.operations import place
from scheduler_k3s.tools.cluster import name

MASK = "XXXXXX"
_SHOWN = ("CACHE_PATH=", "DOCKER_", "DOKKU_", "DYNO=", "PATH=", "PORT=", "USER=")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def inspect(app: str) -> None:
    """Print a JSON list. Errors: PluginError."""
    where = place.of(app)
    path = f"/api/v1/namespaces/{name(where.namespace)}/pods"
    found = where.cluster().list(path, labels=f"app.kubernetes.io/part-of={app}")
    print(json.dumps([masked(pod) for pod in sorted(found, key=pods.name)], indent=4, sort_keys=True))


def masked(pod: dict[str, Any]) -> dict[str, Any]:
    """The pod with the values of its variables hidden, but for those that dokku sets itself."""
    metadata = {key: value for key, value in pod["metadata"].items() if key != "managedFields"}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != _APPLIED}
    spec = dict(pod["spec"])
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        if kind in spec:
            spec[kind] = [
                {**item, "env": [_variable(entry) for entry in item["env"]]} if item.get("env") else item
                for item in spec[kind]
            ]
    return {"apiVersion": "v1", "kind": "Pod", **pod, "metadata": metadata, "spec": spec}


def _variable(entry: dict[str, Any]) -> dict[str, Any]:
    is_shown = f"{entry['name']}=".startswith(_SHOWN)
    return entry if is_shown or "value" not in entry else {**entry, "value": MASK}
