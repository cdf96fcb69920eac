"""scheduler-pre-restore: at boot dokku asks each app for its state, and builds and pushes anew what is not running.

The cluster boots at the same time. So it is given the time that it needs.
"""

import time

from scheduler_k3s import log
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import place, target
from scheduler_k3s.operations.place import Place
from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.operations.status import state
from scheduler_k3s.tools.cluster import Cluster, name

PATIENCE = 120.0
_PAUSE = 1.0
_REPORT = 10.0


def wait(app: str) -> None:
    """Until the API answers and the app's pods serve, at most `PATIENCE` seconds for both.

    Errors: PluginError with the reason when the API is still away: then dokku leaves the app alone. Pods that do not
    come up are told, and dokku goes on.
    """
    where = place.of(app)
    if target.k3s_is_absent(where.kubeconfig):
        return
    started = time.monotonic()
    said = started
    while True:
        try:
            seen, error = _state(where, app), None
        except PluginError as problem:
            seen, error = "", problem
        if seen.startswith("0 ") or seen.endswith(" true"):
            return
        now = time.monotonic()
        if now - started >= PATIENCE:
            break
        if now - said >= _REPORT or said == started:
            said = now
            what = f"{app}'s pods" if error is None else "the Kubernetes API"
            log.detail(f"Waiting for {what} ({now - started:.0f}s of {PATIENCE:.0f}s)")
        time.sleep(_PAUSE)
    if error is not None:
        raise PluginError(
            f"{error.message}\nStill so after {PATIENCE:.0f}s: {app} is left as it is. "
            f"Restore it later, with: dokku ps:restore {app}"
        )
    log.warn(f"Not all pods of {app} serve after {PATIENCE:.0f}s. See why with: dokku logs:failed {app}")


def _state(where: Place, app: str) -> str:
    """As `scheduler-app-status` says it. A kubeconfig that is written later in the boot is read then."""
    cluster: Cluster = where.cluster(attempts=1, timeout=5.0)
    path = f"/apis/apps/v1/namespaces/{name(where.namespace)}/deployments"
    return state(cluster.list(path, labels=f"{PART_OF}={app}"))
