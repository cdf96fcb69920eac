"""The two questions that dokku asks about an app's state. Both end within seconds, whatever the cluster does."""

import os
import sys

from scheduler_k3s.dokku import host, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BUDGET = 1.5
"""Seconds for the cluster's part of the status, name resolution and TLS included; dokku waits for 2 s in all."""
PATIENCE = 0.3
"""Seconds for dokku's own part, when the cluster has not answered."""
_DEPLOYED_PATIENCE = 10.0


def app_status(app: str) -> None:
    """Print `<n> <state>`: how many replicas are wanted; true, mixed or false: whether they are available."""
    deployments = _within(BUDGET, lambda: _deployments(app))
    if deployments is None:
        wanted = _within(PATIENCE, lambda: _scale(app))
        text = f"{wanted or 0} false"
    else:
        text = state(deployments)
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
    try:
        found = _within(_DEPLOYED_PATIENCE, lambda: _has_revision(app))
    except PluginError:
        found = None
    if found is None:
        found = os.path.isfile(f"{host.data(app)}/deployed.json")
    if not found:
        raise PluginError(f"App {app} is not deployed")


def _deployments(app: str) -> "list[dict[str, Any]]":
    from scheduler_k3s.tools.cluster import name

    path = f"/apis/apps/v1/namespaces/{name(target.namespace(app))}/deployments"
    answer = target.cluster(attempts=1, timeout=BUDGET).get(
        path, labelSelector=f"app.kubernetes.io/part-of={app}"
    )
    return list(answer.get("items") or [])


def _has_revision(app: str) -> bool:
    from scheduler_k3s.tools import release

    return bool(release.revisions(target.cluster(attempts=2, timeout=4.0), target.namespace(app), app))


def _scale(app: str) -> int:
    counts = [line.partition("=")[2] for line in triggers.ask("ps-current-scale", app).split()]
    return sum(int(count) for count in counts if count.isdecimal())


def _within(seconds: float, question: "Callable[[], Any]") -> "Any":
    """The answer, None when there is none in time or only an error.

    A thread, since nothing else ends a stuck name resolution; it is left behind. (`_thread`, since `threading`
    costs half as much as the interpreter.)
    """
    import _thread

    answers: list[Any] = []
    done = _thread.allocate_lock()
    done.acquire()

    def work() -> None:
        try:
            answers.append(question())
        except (PluginError, OSError):
            pass
        finally:
            done.release()

    _thread.start_new_thread(work, ())
    done.acquire(timeout=seconds)
    return answers[0] if answers else None
