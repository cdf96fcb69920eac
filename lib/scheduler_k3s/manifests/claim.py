"""A storage entry's volume claim, and the volume itself when it is a directory of the nodes."""

from scheduler_k3s.manifests.metadata import MANAGED, Object
from scheduler_k3s.storage_entry import Entry


def objects(entry: Entry) -> list[Object]:
    return [claim(entry), *([volume(entry)] if entry.host_path else [])]


def claim(entry: Entry) -> Object:
    """With a host path it takes that volume and no other: an empty class keeps provisioners away."""
    spec: Object = {
        "accessModes": [entry.access_mode],
        "resources": {"requests": {"storage": entry.size}},
    }
    if entry.host_path:
        spec |= {"storageClassName": "", "volumeName": entry.name}
    elif entry.storage_class:
        spec["storageClassName"] = entry.storage_class
    metadata = {**_metadata(entry), "namespace": entry.namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def volume(entry: Entry) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": _metadata(entry),
        "spec": {
            "accessModes": [entry.access_mode],
            "capacity": {"storage": entry.size},
            "storageClassName": "",
            "persistentVolumeReclaimPolicy": entry.reclaim_policy,
            "hostPath": {"path": entry.host_path},
            "claimRef": {"namespace": entry.namespace, "name": entry.name},
        },
    }


def _metadata(entry: Entry) -> Object:
    labels = {"app.kubernetes.io/name": entry.name, "app.kubernetes.io/managed-by": "dokku"}
    return {
        "name": entry.name,
        "labels": {**labels, **entry.labels},
        "annotations": {**MANAGED, **entry.annotations},
    }
