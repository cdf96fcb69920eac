"""What has to be done by hand before a system chart may pass a certain version."""

import time
from collections.abc import Callable
from typing import NamedTuple

from scheduler_k3s import log, semver
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import Cluster, name

_PATIENCE = 180.0
_HEARTBEAT = 10.0


class Hook(NamedTuple):
    """`before` runs ahead of the upgrade to `version`."""

    chart: str
    version: str
    before: Callable[[Cluster], None]


def due(chart: str, installed: str, goal: str) -> list[Hook]:
    """The hooks between the installed version and the goal, which is included; none for a first install."""
    if not installed:
        return []
    first, last = semver.parse(installed), semver.parse(goal)
    found = [hook for hook in HOOKS if hook.chart == chart and first < semver.parse(hook.version) <= last]
    return sorted(found, key=lambda hook: semver.parse(hook.version))


def _remove_deployments(cluster: Cluster) -> None:
    """Their selectors changed, and Kubernetes does not let those of a living Deployment change."""
    path, labels = "/apis/apps/v1/namespaces/keda/deployments", "app.kubernetes.io/instance=keda-add-ons-http"
    for item in cluster.list(path, labels=labels, metadata_only=True):
        cluster.delete(f"{path}/{name(item['metadata']['name'])}", propagation="Foreground")
    started = said = time.monotonic()
    while left := cluster.list(path, labels=labels, metadata_only=True):
        now = time.monotonic()
        names = ", ".join(item["metadata"]["name"] for item in left)
        if now - started > _PATIENCE:
            raise PluginError(f"Deployments in keda were not gone after {_PATIENCE:.0f}s: {names}")
        if now - said >= _HEARTBEAT:
            said = now
            log.detail(f"Waiting for Deployments to be gone: {names} ({now - started:.0f}s)")
        time.sleep(0.5)


HOOKS = (Hook("keda-add-ons-http", "0.12.2", _remove_deployments),)
