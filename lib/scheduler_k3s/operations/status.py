"""The two questions that dokku asks about an app's state. Both end within seconds, whatever the cluster does."""

import os
import sys
import time

from scheduler_k3s.dokku import triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TOTAL = 1.8
"""Seconds for a status; dokku waits for 2 s, the start of the interpreter included."""
BUDGET = 1.5
"""Seconds of these for the cluster, name resolution and TLS included; the rest is for asking dokku instead."""
_DEPLOYED_PATIENCE = 10.0


def app_status(app: str) -> None:
    """Print `<n> <state>`: how many replicas are wanted; true, mixed or false: whether they are available."""
    deadline = time.monotonic() + TOTAL
    deployments = _within(BUDGET, lambda: _deployments(app))
    text = (
        state(deployments) if deployments is not None else f"{_scale(app, deadline - time.monotonic())} false"
    )
    sys.stdout.write(text)


def state(deployments: "list[dict[str, Any]]") -> str:
    wanted = sum(item["spec"].get("replicas", 1) for item in deployments)
    available = sum((item.get("status") or {}).get("availableReplicas", 0) for item in deployments)
    if not wanted or not available:
        return f"{wanted} false"
    return f"{wanted} mixed" if available < wanted else f"{wanted} true"


def is_deployed(app: str) -> None:
    """Errors: PluginError when no revision of the app's release exists, of whatever status.

    dokku keeps the answer for good, so an unreachable cluster must not turn a deployed app into one that is not:
    then the note that each deploy leaves on this host decides.
    """
    found = _within(_DEPLOYED_PATIENCE, lambda: _has_revision(app))
    if found is None:
        found = os.path.isfile(place.note(app))
    if not found:
        raise PluginError(f"App {app} is not deployed")


def _deployments(app: str) -> "list[dict[str, Any]]":
    from scheduler_k3s.tools.cluster import name

    where = place.of(app)
    path = f"/apis/apps/v1/namespaces/{name(where.namespace)}/deployments"
    answer = where.cluster(attempts=1, timeout=BUDGET).get(
        path, labelSelector=f"app.kubernetes.io/part-of={app}"
    )
    return list(answer.get("items") or [])


def _has_revision(app: str) -> bool:
    from scheduler_k3s.tools.revisions import revisions_of

    where = place.of(app)
    return bool(revisions_of(where.cluster(attempts=2, timeout=4.0), where.namespace, app))


def _scale(app: str, seconds: float) -> int:
    try:
        lines = triggers.ask("ps-current-scale", app, timeout=max(seconds, 0.1)).split()
    except PluginError:
        return 0
    return sum(int(line.partition("=")[2]) for line in lines if line.partition("=")[2].isdecimal())


def _within(seconds: float, question: "Callable[[], Any]") -> "Any":
    """The answer, None when there is none in time or only an error.

    A thread, since nothing else ends a stuck name resolution; it is left behind.
    """
    import threading

    answers: list[Any] = []

    def work() -> None:
        try:
            answers.append(question())
        except (PluginError, OSError):
            return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None
