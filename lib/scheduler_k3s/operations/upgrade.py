"""Upgrades the app's release and waits for its pods, telling what they do. Ends as soon as there is no hope."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from scheduler_k3s import log
from scheduler_k3s.app import App
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import auxiliary, rolled_back
from scheduler_k3s.operations.stop import pause_autoscaling
from scheduler_k3s.operations.watch import INTERVAL, Watch
from scheduler_k3s.rollout import Rollout
from scheduler_k3s.tools import helm, release
from scheduler_k3s.tools.cluster import Cluster, name
from scheduler_k3s.tools.revisions import revisions_of

_UNTIL_APPLIED = 0.2


def upgrade(
    runner: helm.Helm,
    cluster: Cluster,
    app: App,
    files: Mapping[str, str],
    rollouts: Sequence[Rollout],
    *,
    rollback: bool,
    first: bool,
) -> None:
    """With `rollback`, a failure brings the last good revision back; helm waits for it as long again. Where none
    was ever good (`first`), the release stays for inspection and its processes are stopped.

    Errors: RolloutFailed with the reasons, PluginError with helm's own words, Cancelled.
    """
    watch = Watch(cluster.copy(), app.name, app.namespace, rollouts)
    try:
        _upgrade(runner, watch, app, files, rollback and not first)
    except PluginError as error:
        if rollback and first:
            _stop(cluster, app, rollouts)
        elif rollback:
            rolled_back.keep(app.name, error.message)
        raise
    rolled_back.forget(app.name)


def _upgrade(runner: helm.Helm, watch: Watch, app: App, files: Mapping[str, str], rollback: bool) -> None:
    deadline = time.monotonic() + app.deploy_timeout
    start = partial(
        runner.upgrade, app.name, app.namespace, files, wait=app.deploy_timeout, rollback=rollback
    )
    with helm.started(start, app.deploy_timeout if rollback else 0.0) as running:
        while not running.ended(
            INTERVAL if all(rollout.applied for rollout in watch.rollouts[:1]) else _UNTIL_APPLIED
        ):
            follow(watch)
        if running.code:
            raise _helm_failure(watch, running, app)
    try:
        while not follow(watch):
            if time.monotonic() > deadline:
                raise watch.report(watch.unfinished(), _timed_out(app))
            time.sleep(INTERVAL)
    except PluginError as error:
        _undo(runner, watch.cluster, app, rollback, error)
        raise


def follow(watch: Watch) -> bool:
    """One look. True when all is done. Errors: RolloutFailed when a process is doomed."""
    watch.look()
    watch.show()
    if failures := watch.failures():
        processes = ", ".join(sorted({failure.process for failure in failures}))
        raise watch.report(failures, f"Deploy of {watch.app} failed: {processes} cannot come up")
    return watch.settled


def _helm_failure(watch: Watch, running: helm.Upgrade, app: App) -> PluginError:
    """helm's own failure, or, when it only ran out of time, what it was waiting for."""
    output = running.output()
    watch.look()
    if "deadline exceeded" in output or "timed out" in output:
        return watch.report(watch.failures() or watch.unfinished(), _timed_out(app))
    return PluginError(f"Error deploying: {output or f'helm failed with exit code {running.code}'}")


def _timed_out(app: App) -> str:
    return f"Deploy of {app.name} failed: not all pods were ready within {app.deploy_timeout:g}s (deploy-timeout)"


def _stop(cluster: Cluster, app: App, rollouts: Sequence[Rollout]) -> None:
    log.detail(f"Stopping the processes of {app.name}: there is no good version to go back to")
    base = f"/apis/apps/v1/namespaces/{name(app.namespace)}/deployments"
    steps: list[Callable[[], object]] = [
        partial(cluster.merge, f"{base}/{name(rollout.deployment)}", {"spec": {"replicas": 0}})
        for rollout in rollouts
    ]
    if any(process.autoscaling for process in app.processes):
        steps.insert(0, partial(pause_autoscaling, cluster, app.name, app.namespace))
    for step in steps:
        try:
            step()
        except PluginError as error:
            log.warn(error.message)


def _undo(runner: helm.Helm, cluster: Cluster, app: App, rollback: bool, error: PluginError) -> None:
    """helm does not wait for pods to stay up and called it a success: roll back, or correct its record."""
    if rollback:
        log.detail(f"Rolling back {app.name}")
        auxiliary.finish(runner.rollback(app.name, app.namespace, app.deploy_timeout), "Error rolling back")
        return
    revisions = revisions_of(cluster, app.namespace, app.name)
    good = [entry for entry in revisions[:-1] if entry["metadata"]["labels"].get("status") == "superseded"]
    if failed := release.fetch(cluster, app.namespace, revisions[-1]):
        release.set_status(cluster, failed, "failed", error.message.splitlines()[0])
    if good and (previous := release.fetch(cluster, app.namespace, good[-1])):
        release.set_status(cluster, previous, "deployed", "Upgrade complete")
