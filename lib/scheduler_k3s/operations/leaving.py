"""Waiting until pods have left a node, with what is left and why."""

import time
from collections.abc import Callable

from scheduler_k3s import drains, log
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import Cluster, Object

_INTERVAL = 1.0
_REPORT = 10.0


class Blocked(PluginError):
    """Pods that do not leave the node."""


def pods(cluster: Cluster, node: str) -> list[Object]:
    """Those that have to leave the node."""
    return drains.leaving(cluster.list("/api/v1/pods", fields=f"spec.nodeName={node}"))


def until(rest: Callable[[], tuple[list[str], str]], what: str, patience: float) -> None:
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
