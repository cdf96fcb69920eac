"""scheduler-logs-failed: why the newest deploy failed, as the deploy itself said it."""

from scheduler_k3s import log
from scheduler_k3s.operations import place
from scheduler_k3s.operations.watch import Watch
from scheduler_k3s.rollout import Rollout
from scheduler_k3s.tools import release
from scheduler_k3s.tools.release import Release

NONE = "No failed containers found"


def logs_failed(app: str) -> None:
    """Print what the pods of a failed newest revision say. Errors: PluginError."""
    where = place.of(app)
    cluster = where.cluster()
    newest = release.newest(cluster, where.namespace, app)
    if newest is None or newest.status != "failed":
        log.warn(NONE)
        return
    watch = Watch(cluster, app, where.namespace, rollouts(app, newest))
    watch.look()
    failures = watch.failures() or watch.unfinished()
    if not failures:
        log.warn(NONE)
        return
    report = watch.report(failures, f"Revision {newest.revision} of {app} failed")
    print(report.message)


def rollouts(app: str, revision: Release) -> list[Rollout]:
    """The processes of a revision, each with the deployment id that its new pods carry."""
    processes = revision.values.get("processes") or {}
    common = revision.value("global.deployment_id")
    return [
        Rollout(type_, f"{app}-{type_}", str(entry.get("deployment_id") or common))
        for type_, entry in processes.items()
        if entry.get("process_type") != "cron"
    ]
