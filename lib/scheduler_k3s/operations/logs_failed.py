"""scheduler-logs-failed: why the newest deploy failed, as the deploy itself said it."""

from scheduler_k3s import log, rollout
from scheduler_k3s.operations import place, rolled_back
from scheduler_k3s.operations.watch import Watch
from scheduler_k3s.tools import release, resources

NONE = "No failed containers found"


def logs_failed(app: str) -> None:
    """Print what the pods of a failed newest revision say. Errors: PluginError."""
    where = place.of(app)
    cluster = where.cluster()
    newest = release.newest(cluster, where.namespace, app)
    if newest is None or newest.status != "failed":
        _tell_rolled_back(app)
        return
    objects = resources.manifest_objects(newest.manifest)
    watch = Watch(cluster, app, where.namespace, rollout.of(app, where.namespace, objects, patient=False))
    watch.look()
    failures = watch.failures() or watch.unfinished()
    why = f": {newest.description}" if newest.description else ""
    print(watch.report(failures, f"Revision {newest.revision} of {app} failed{why}").message)


def _tell_rolled_back(app: str) -> None:
    if message := rolled_back.told(app):
        print(f"{message}\nThe release was rolled back, and the version before it serves")
    else:
        log.warn(NONE)
