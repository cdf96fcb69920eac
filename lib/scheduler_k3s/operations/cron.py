"""scheduler-cron-write: brings the tasks in the cluster to what dokku says of their maintenance."""

from collections.abc import Mapping
from functools import partial

from scheduler_k3s import cron, log
from scheduler_k3s.dokku import apps, facts, triggers
from scheduler_k3s.errors import Cancelled, PluginError
from scheduler_k3s.manifests.cron_job import HASH
from scheduler_k3s.operations import place, signals, target
from scheduler_k3s.operations.place import Place
from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.operations.stop import is_stopped
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

_AT_ONCE = 8


def write(app: str) -> None:
    """Suspend or resume each CronJob of the app. Nothing is made or removed, no lock is taken: dokku asks this
    in the middle of deploys, and when it destroys an app.

    A cluster that is away is no failure, since dokku would stop half-way then: the next deploy writes it too.
    """
    if not app:
        return
    apps.check_name(app)
    where = place.of(app)
    if target.k3s_is_absent(where.kubeconfig):
        return
    with signals.cancellable(f"Deployment of {app} has been cancelled"):
        try:
            _write(app, where)
        except Cancelled:
            raise
        except PluginError as error:
            log.warn(f"The cron tasks of {app} are as they were until its next deploy: {error.message}")


def changes(items: list[Object], suspended: Mapping[str, bool]) -> dict[str, bool]:
    """The CronJobs to change, by name; those of a stopped app are none. `suspended` tells of each task's hash."""
    found = {}
    for item in items:
        wanted = suspended.get(str(item["metadata"]["labels"].get(HASH)))
        if wanted is not None and wanted != bool(item["spec"].get("suspend")) and not is_stopped(item):
            found[str(item["metadata"]["name"])] = wanted
    return found


def _write(app: str, where: Place) -> None:
    properties = facts.cron_properties(app)
    suspended = {
        cron.task_hash(entry.id): cron.is_suspended(entry.id, entry.maintenance, properties)
        for entry in cron.entries(app, facts.app_json(app), log.debug)
    }
    if not suspended:
        return
    cluster = where.cluster(attempts=2)
    base = f"/apis/batch/v1/namespaces/{name(where.namespace)}/cronjobs"
    pending = list(changes(cluster.list(base, labels=f"{PART_OF}={app},{HASH}"), suspended).items())
    for start in range(0, len(pending), _AT_ONCE):
        triggers.together(
            [
                partial(_suspend, cluster.copy(), f"{base}/{name(item)}", to)
                for item, to in pending[start : start + _AT_ONCE]
            ]
        )


def _suspend(cluster: Cluster, path: str, suspend: bool) -> None:
    try:
        cluster.merge(path, {"spec": {"suspend": suspend}})
    except ApiError as error:
        if error.code != 404:
            raise
    finally:
        cluster.close()
