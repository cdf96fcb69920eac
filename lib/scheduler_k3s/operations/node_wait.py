"""Waits until a node serves: the API first, then the node object, then its Ready condition. One deadline for all."""

import time
from collections.abc import Callable

from scheduler_k3s import log, settings
from scheduler_k3s.errors import PluginError
from scheduler_k3s.nodes import Node
from scheduler_k3s.tools.cluster import Cluster, Object, name

_INTERVAL = 1.0
_REPORT = 10.0


def patience() -> float:
    """Seconds that a node may take, as a deploy may. Errors: PluginError for a property that holds no duration."""
    return settings.seconds(settings.checked(settings.GLOBAL, "deploy-timeout"))


def ready(
    open_cluster: Callable[[], Cluster],
    node: str,
    lost: str,
    patience: float,
    explain: Callable[[], str] = str,
) -> Cluster:
    """The cluster, once `node` is Ready in it. `lost` is the error for a node that never appeared.

    `explain` tells what the host of a node that has not appeared says; one that has tells by its condition.
    `open_cluster` may fail while the kubeconfig is not written. What is waited for is said. Errors: PluginError.
    """
    started = said = time.monotonic()
    while True:
        problem, has_appeared = "", False
        try:
            cluster = open_cluster()
            _check_api(cluster)
            found = cluster.find(f"/api/v1/nodes/{name(node)}")
            problem, has_appeared = _unready(node, found), found is not None
        except PluginError as error:
            problem = error.message
        if not problem:
            return cluster
        now = time.monotonic()
        if not has_appeared and (now - started > patience or now - said >= _REPORT):
            problem = _joined(problem, explain())
        if now - started > patience:
            problem = f"After {patience:g}s (deploy-timeout): {problem}"
            raise PluginError(problem if has_appeared else f"{lost}. {problem}")
        if now - said >= _REPORT:
            said = now
            log.detail_quiet(f"{problem.splitlines()[0]} ({now - started:.0f}s)")
        time.sleep(_INTERVAL)


def _joined(problem: str, explanation: str) -> str:
    return f"{problem} ({explanation})" if explanation else problem


def _check_api(cluster: Cluster) -> None:
    """/readyz answers with a word, not with JSON."""
    with cluster.stream("/readyz", cluster.timeout) as response:
        response.read()


def _unready(node: str, found: Object | None) -> str:
    """Why the node does not count as Ready; empty when it does."""
    if found is None:
        return f"Node {node} has not appeared yet"
    state = Node(found)
    return "" if state.is_ready else f"Node {node} is not Ready: {state.reason}"
