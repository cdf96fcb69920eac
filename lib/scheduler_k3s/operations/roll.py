"""Gives Deployments new pods on other nodes, which serve before the old ones go."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timezone

from scheduler_k3s import drains, log
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import leaving
from scheduler_k3s.tools.cluster import Cluster, Object, name

_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def movable(cluster: Cluster, pods: Sequence[Object]) -> list[Object]:
    """The Deployments of the pods that can be rolled, each once."""
    found: dict[str, Object] = {}
    for pod in pods:
        place = _deployment(cluster, pod)
        if place and place not in found and (item := cluster.find(_path(*place.split("/")))):
            found[place] = item
    return [item for item in found.values() if drains.rolls(item) and not _is_held(cluster, item)]


def move(cluster: Cluster, node: str, deployments: Sequence[Object], patience: float) -> None:
    """Errors: leaving.Blocked; the Deployments are then as they were before."""
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    names = {drains.place(item) for item in deployments}
    log.detail_quiet(f"Moving {', '.join(sorted(names))} to other nodes")
    try:
        for item in deployments:
            _restart(cluster, item, stamp)

        def rest() -> tuple[list[str], str]:
            staying = [pod for pod in leaving.pods(cluster, node) if _deployment(cluster, pod) in names]
            if not staying:
                return [], ""
            owners = {drains.place(pod): _deployment(cluster, pod) for pod in staying}
            return [f"{pod} of {owner}" for pod, owner in owners.items()], _why(cluster, deployments)

        leaving.until(rest, f"pods do not move from {node}", patience)
    except BaseException:
        for item in deployments:
            _take_back(cluster, item, stamp)
        raise


def _is_held(cluster: Cluster, deployment: Object) -> bool:
    """Whether a volume keeps its pods on one node at a time: they stop before they start elsewhere."""
    claims = f"/api/v1/namespaces/{name(deployment['metadata']['namespace'])}/persistentvolumeclaims"
    for each in drains.claims(deployment):
        claim = cluster.find(f"{claims}/{name(each)}")
        if claim is not None and drains.is_for_one_node(claim):
            log.detail(
                f"{drains.place(deployment)} pauses while it moves: only one node can have its volume {each}"
            )
            return True
    return False


def _deployment(cluster: Cluster, pod: Object) -> str:
    """The place of the pod's Deployment, "" when it has none. The name of a ReplicaSet is its and a hash."""
    kind, owner = drains.owner(pod) or ("", "")
    is_of_deployment = kind == "ReplicaSet" and "pod-template-hash" in (pod["metadata"].get("labels") or {})
    return f"{pod['metadata']['namespace']}/{owner.rpartition('-')[0]}" if is_of_deployment else ""


def _restart(cluster: Cluster, item: Object, stamp: str | None) -> None:
    path = _path(item["metadata"]["namespace"], item["metadata"]["name"])
    template = {"metadata": {"annotations": {_RESTARTED: stamp}}}
    cluster.merge(path, {"spec": {"template": template}})


def _take_back(cluster: Cluster, item: Object, stamp: str) -> None:
    """The former template, unless somebody has changed it meanwhile: its pods serve on, new ones go."""
    with contextlib.suppress(PluginError):
        now = cluster.get(_path(item["metadata"]["namespace"], item["metadata"]["name"]))
        if _restarted(now) == stamp:
            _restart(cluster, item, _restarted(item))


def _restarted(deployment: Object) -> str | None:
    annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    return str(annotations[_RESTARTED]) if _RESTARTED in annotations else None


def _why(cluster: Cluster, deployments: Sequence[Object]) -> str:
    """What keeps the new pods from coming up."""
    for item in deployments:
        labels = item["spec"]["selector"].get("matchLabels") or {}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = f"/api/v1/namespaces/{name(item['metadata']['namespace'])}/pods"
        if why := drains.why_waiting(cluster.list(pods, labels=selector)):
            return why
    return ""


def _path(namespace: str, deployment: str) -> str:
    return f"/apis/apps/v1/namespaces/{name(namespace)}/deployments/{name(deployment)}"
