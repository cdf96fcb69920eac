"""Objects as the Kubernetes API shows them while a Deployment rolls out, as small as the code under test needs."""

from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]

IMAGE = "registry.example.com/dokku/shop:3"


def deployment(
    type_: str = "web", scale: int = 2, version: str = "200", revision: str = "2", **status: Any
) -> Object:
    """The status counts that are not given are those of a rollout that has just begun."""
    name = f"shop-{type_}"
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "generation": 4,
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
        "spec": {
            "replicas": scale,
            "template": {"metadata": {"annotations": {"app.kubernetes.io/version": version}}},
        },
        "status": {"observedGeneration": 4, **status},
    }


def replica_set(type_: str = "web", revision: str = "2", version: str = "200") -> Object:
    name = f"shop-{type_}-r{revision}"
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"kind": "Deployment", "uid": f"uid-shop-{type_}"}],
        },
        "spec": {"template": {"metadata": {"annotations": {"app.kubernetes.io/version": version}}}},
    }


def pod(
    name: str = "shop-web-r2-a",
    containers: Sequence[Object] = (),
    *,
    type_: str = "web",
    revision: str = "2",
    ready: bool = False,
    **status: Any,
) -> Object:
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"kind": "ReplicaSet", "uid": f"uid-shop-{type_}-r{revision}"}],
        },
        "spec": {},
        "status": {
            "phase": "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": list(containers),
            **status,
        },
    }


def unschedulable(name: str = "shop-web-r2-a", message: str = "0/1 nodes are available") -> Object:
    reason = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod(name, conditions=[reason])


def running(
    restarts: int = 0, name: str = "shop-web", ready: bool = False, last: Object | None = None
) -> Object:
    return {
        "name": name,
        "image": IMAGE,
        "ready": ready,
        "restartCount": restarts,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "lastState": {"terminated": last} if last else {},
    }


def waiting(
    reason: str, message: str = "", name: str = "shop-web", restarts: int = 0, last: Object | None = None
) -> Object:
    return {
        "name": name,
        "image": IMAGE,
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": message}},
        "lastState": {"terminated": last} if last else {},
    }


def terminated(code: int = 1, restarts: int = 0, name: str = "shop-web", reason: str = "Error") -> Object:
    return {
        "name": name,
        "image": IMAGE,
        "ready": False,
        "restartCount": restarts,
        "state": {"terminated": exited(code, reason)},
        "lastState": {"terminated": exited(code, reason)} if restarts else {},
    }


def exited(code: int = 1, reason: str = "Error") -> Object:
    return {"exitCode": code, "reason": reason}


def event(reason: str, second: int = 0, message: str = "", type_: str = "Normal") -> Object:
    return {
        "reason": reason,
        "type": type_,
        "message": message or reason,
        "lastTimestamp": f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z",
    }
