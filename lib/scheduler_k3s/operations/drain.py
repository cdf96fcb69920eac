"""Empties a node so that no request is lost: first every Deployment there gets new pods elsewhere, which serve before
the old ones go; then what is left is evicted, as far as disruption budgets allow.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone

from scheduler_k3s import drains, log, nodes
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

PATIENCE = 300.0
"""Seconds for the pods of Deployments to move, and again for all others to go."""
_INTERVAL = 1.0
_REPORT = 10.0
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_TOO_MANY_REQUESTS = 429


class Blocked(PluginError):
    """Pods that do not leave the node."""


def check(cluster: Cluster, node: str) -> None:
    """Errors: Blocked, when pods there would be lost."""
    if lost := drains.unmanaged(_pods(cluster, node)):
        raise Blocked(
            f"{node} runs pods that nothing makes again elsewhere: {', '.join(map(drains.place, lost))}. "
            "Delete them when they are not needed"
        )


@contextlib.contextmanager
def cordoned(cluster: Cluster, node: str) -> Iterator[None]:
    """No new pods come to the node. It takes them again should what is done meanwhile fail."""
    path = f"{nodes.PATH}/{name(node)}"
    was_cordoned = (cluster.get(path).get("spec") or {}).get("unschedulable")
    cluster.merge(path, {"spec": {"unschedulable": True}})
    try:
        yield
    except BaseException:
        if not was_cordoned:
            cluster.merge(path, {"spec": {"unschedulable": None}})
        raise


def empty(cluster: Cluster, node: str, patience: float = PATIENCE) -> None:
    """Errors: Blocked with the pods that stay and why; Deployments are then as they were before."""
    deployments = _deployments(cluster, _pods(cluster, node))
    if deployments:
        _roll(cluster, node, deployments, patience)
    _evict(cluster, node, patience)


def _roll(cluster: Cluster, node: str, deployments: Sequence[Object], patience: float) -> None:
    stamp = datetime.now(timezone.utc).isoformat(timespec="seconds")
    names = {drains.place(item) for item in deployments}
    log.detail_quiet(f"Moving {', '.join(sorted(names))} to other nodes")
    try:
        for item in deployments:
            _restart(cluster, item, stamp)

        def rest() -> tuple[list[str], str]:
            staying = [pod for pod in _pods(cluster, node) if _deployment(cluster, pod) in names]
            if not staying:
                return [], ""
            owners = {drains.place(pod): _deployment(cluster, pod) for pod in staying}
            return [f"{pod} of {owner}" for pod, owner in owners.items()], _why(cluster, deployments)

        _until(rest, f"pods do not move from {node}", patience)
    except BaseException:
        for item in deployments:
            _take_back(cluster, item, stamp)
        raise


def _evict(cluster: Cluster, node: str, patience: float) -> None:
    def rest() -> tuple[list[str], str]:
        pods = _pods(cluster, node)
        refused = [why for pod in drains.evictable(pods) if (why := _evict_one(cluster, pod))]
        refused += [f"{drains.place(pod)}: it runs to its end" for pod in drains.tasks(pods)]
        return [drains.place(pod) for pod in pods], "; ".join(dict.fromkeys(refused))

    _until(rest, f"pods do not leave {node}", patience)


def _evict_one(cluster: Cluster, pod: Object) -> str:
    """Why the pod may not go yet, "" when it was told to."""
    metadata = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    path = f"/api/v1/namespaces/{name(metadata['namespace'])}/pods/{name(metadata['name'])}/eviction"
    try:
        cluster.create(path, body)
    except ApiError as error:
        if error.code == _TOO_MANY_REQUESTS:
            return f"{drains.place(pod)}: {error.detail}"
        if error.code != 404:
            raise
    else:
        log.detail_quiet(f"Evicted {drains.place(pod)}")
    return ""


def _until(rest: Callable[[], tuple[list[str], str]], what: str, patience: float) -> None:
    """Ask until nothing is left; `rest` gives what is, and why. Errors: Blocked."""
    started = said = time.monotonic()
    while True:
        left, why = rest()
        if not left:
            return
        now = time.monotonic()
        text = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        reason = f" ({why})" if why else ""
        if now - started > patience:
            raise Blocked(f"After {patience:.0f}s {what}: {text}{reason}")
        if now - said >= _REPORT:
            said = now
            log.detail_quiet(f"Waiting for {text}{reason} ({now - started:.0f}s)")
        time.sleep(_INTERVAL)


def _pods(cluster: Cluster, node: str) -> list[Object]:
    return drains.leaving(cluster.list("/api/v1/pods", fields=f"spec.nodeName={node}"))


def _deployments(cluster: Cluster, pods: Sequence[Object]) -> list[Object]:
    """The Deployments of the pods that can be rolled, each once."""
    found: dict[str, Object] = {}
    for pod in pods:
        place = _deployment(cluster, pod)
        if place and place not in found and (item := cluster.find(_path(*place.split("/")))):
            found[place] = item
    return [item for item in found.values() if drains.rolls(item)]


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
