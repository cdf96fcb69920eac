"""Which pods have to leave a node, and in which way. Pure."""

from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]
_FINISHED = ("Succeeded", "Failed")
_MIRROR = "kubernetes.io/config.mirror"


def leaving(pods: Sequence[Object]) -> list[Object]:
    """The pods that a node may not be removed with: not those that belong to it, nor those that have ended."""
    return [pod for pod in pods if not (_belongs_to_the_node(pod) or _phase(pod) in _FINISHED)]


def unmanaged(pods: Sequence[Object]) -> list[Object]:
    """Those of the pods that nothing would make again elsewhere."""
    return [pod for pod in pods if owner(pod) is None and not _is_going(pod)]


def owner(item: Object) -> tuple[str, str] | None:
    """Kind and name of its controller."""
    for reference in item["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference["kind"], reference["name"]
    return None


def evictable(pods: Sequence[Object]) -> list[Object]:
    """Those of the pods that have not been told to go yet, and serve until they are."""
    return [pod for pod in pods if not (_is_going(pod) or _is_task(pod))]


def tasks(pods: Sequence[Object]) -> list[Object]:
    """Those of the pods that end by themselves: one-off processes and cron tasks, which nobody would take up again."""
    return [pod for pod in pods if _is_task(pod)]


def rolls(deployment: Object) -> bool:
    """Whether new pods come before the old ones go, once its template changes."""
    spec = deployment["spec"]
    is_rolling = (spec.get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
    return is_rolling and not spec.get("paused") and spec.get("replicas", 1) > 0


def claims(deployment: Object) -> list[str]:
    """The volume claims that its pods mount."""
    volumes = deployment["spec"]["template"].get("spec", {}).get("volumes") or ()
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if "persistentVolumeClaim" in volume
    ]


def is_for_one_node(claim: Object) -> bool:
    """Whether a pod elsewhere cannot have the volume before the one here has gone."""
    modes = claim["spec"].get("accessModes") or ()
    return not {"ReadWriteMany", "ReadOnlyMany"} & set(modes)


def place(item: Object) -> str:
    """As in `default/shop-web-1`."""
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def why_waiting(pods: Sequence[Object]) -> str:
    """What keeps the first of the pods that is not up from coming up, "" when that is not known."""
    for pod in pods:
        status = pod.get("status") or {}
        for condition in status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return f"{pod['metadata']['name']}: {condition.get('message') or condition.get('reason')}"
        for container in status.get("containerStatuses") or ():
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason"):
                return f"{pod['metadata']['name']}: {waiting['reason']}"
    return ""


def _belongs_to_the_node(pod: Object) -> bool:
    is_daemon = (owner(pod) or ("", ""))[0] == "DaemonSet"
    return is_daemon or _MIRROR in (pod["metadata"].get("annotations") or {})


def _is_task(pod: Object) -> bool:
    return (owner(pod) or ("", ""))[0] == "Job"


def _is_going(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase"))
