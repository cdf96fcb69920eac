"""Empties a node so that no request is lost: first every Deployment there gets new pods elsewhere, which serve before
the old ones go; then what is left is evicted, as far as disruption budgets allow.
"""

import contextlib
from collections.abc import Iterator

from scheduler_k3s import drains, log, nodes
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import leaving, roll
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

PATIENCE = 300.0
"""Seconds for the pods of Deployments to move, and again for all others to go."""
_TOO_MANY_REQUESTS = 429


def check(cluster: Cluster, node: str) -> None:
    """Errors: leaving.Blocked, when pods there would be lost."""
    if lost := drains.unmanaged(leaving.pods(cluster, node)):
        raise leaving.Blocked(
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
            with contextlib.suppress(PluginError):
                cluster.merge(path, {"spec": {"unschedulable": None}})
        raise


def empty(cluster: Cluster, node: str, patience: float = PATIENCE, force: bool = False) -> None:
    """With `force`, pods that cannot be up elsewhere first are evicted all the same.

    Errors: leaving.Blocked with the pods that stay and why; Deployments are then as they were before.
    """
    deployments = roll.movable(cluster, leaving.pods(cluster, node))
    try:
        if deployments:
            roll.move(cluster, node, deployments, patience)
    except leaving.Blocked as error:
        if not force:
            raise
        log.warn(error.message)
    _evict(cluster, node, patience)


def _evict(cluster: Cluster, node: str, patience: float) -> None:
    def rest() -> tuple[list[str], str]:
        pods = leaving.pods(cluster, node)
        refused = [why for pod in drains.evictable(pods) if (why := _evict_one(cluster, pod))]
        refused += [f"{drains.place(pod)}: it runs to its end" for pod in drains.tasks(pods)]
        return [drains.place(pod) for pod in pods], "; ".join(dict.fromkeys(refused))

    leaving.until(rest, f"pods do not leave {node}", patience)


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
