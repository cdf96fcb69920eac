"""What a pod object tells about its state. Pure functions over the API's JSON."""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from scheduler_k3s.tools.cluster import Cluster

Pod = dict[str, Any]

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_ENDED = ("Succeeded", "Failed")


class Source(NamedTuple):
    """Where pods are listed, and which of them are meant."""

    cluster: "Cluster"
    path: str
    labels: str
    fields: str = ""


def name(pod: Pod) -> str:
    return str(pod["metadata"]["name"])


def uid(pod: Pod) -> str:
    return str(pod["metadata"].get("uid") or name(pod))


def ended(pod: Pod) -> bool:
    """Whether no container of the pod will ever run again."""
    return (pod.get("status") or {}).get("phase") in _ENDED


def container(pod: Pod) -> str:
    """The container that is the app: the annotated one, else the first."""
    names = [str(item["name"]) for item in pod["spec"]["containers"]]
    annotated = (pod["metadata"].get("annotations") or {}).get(_DEFAULT_CONTAINER)
    return str(annotated) if annotated in names else names[0]


def container_status(pod: Pod) -> dict[str, Any]:
    """The status of the app's container, {} before the node has reported one."""
    wanted = container(pod)
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((dict(status) for status in statuses if status.get("name") == wanted), {})


def instance(pod: Pod) -> str:
    """The id of the newest start of the app's container, "" before the first. Only a started one has a log."""
    return str(container_status(pod).get("containerID") or "")


def running(pod: Pod) -> bool:
    return "running" in (container_status(pod).get("state") or {})


def waiting_reason(pod: Pod) -> str:
    """Why the app's container has not started yet, in Kubernetes' words."""
    status = pod.get("status") or {}
    waiting = (container_status(pod).get("state") or {}).get("waiting") or {}
    if waiting.get("reason"):
        return _joined(waiting)
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _joined(condition)
    return _joined(status) if status.get("reason") else str(status.get("phase") or "Pending")


def _joined(source: dict[str, Any]) -> str:
    reason, message = str(source.get("reason") or ""), str(source.get("message") or "").strip()
    return f"{reason}: {' '.join(message.split())}" if message else reason
