"""The one-off processes of apps: listed, their logs, stopped, and retired when they are over their time."""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timezone

from scheduler_k3s import log, pods
from scheduler_k3s.dokku import apps
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import place
from scheduler_k3s.pods import Pod
from scheduler_k3s.tools.cluster import Cluster, Object, name

_SUFFIX = "dokku.com/job-suffix"
_JOB = "batch.kubernetes.io/job-name"
_TYPES = "app.kubernetes.io/name in (run,cron)"
_OVERDUE = 60.0


def shown_name(app: str, item: Object) -> str:
    """The only form of a name that dokku's own run commands let through: `<app>.run.<10 hex>`."""
    suffix = (item["metadata"].get("annotations") or {}).get(_SUFFIX)
    return f"{app}.run.{suffix}" if suffix else ""


def show(app: str, format_: str) -> None:
    """Print the app's one-off processes, as a table or as JSON."""
    if format_ not in ("", "stdout", "json"):
        raise PluginError(f"Invalid format: {format_}, it must be stdout or json")
    entries = [_entry(app, pod) for pod in _pods(*_place(app), app)]
    if format_ == "json":
        print(json.dumps(entries, separators=(",", ":")))
        return
    log.headline_quiet(f"{app} run containers")
    rows = [] if log.quiet() else [("NAMES", "COMMAND", "RUNNING FOR")]
    rows += [(entry["name"], entry["command"], _ago(entry["created_at"])) for entry in entries]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    for row in rows:
        print(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip())


def logs(app: str, container: str, tail: bool, quiet: bool, count: int) -> None:
    """Print or follow what the app's one-off processes, or the one named, have printed. Errors: PluginError."""
    from scheduler_k3s.operations import logs as shown

    wanted = ""
    if container:
        wanted = pods.name(_chosen(app, _pods(*_place(app), app), container)[0])
    shown.selected(
        app, f"app.kubernetes.io/part-of={app},{_TYPES}", wanted, tail=tail, quiet=quiet, count=count
    )


def stop(app: str, container: str) -> None:
    """End the app's one-off processes, or the one named `<app>.run.<x>`, which names its app too."""
    app = app or container.partition(".")[0]
    cluster, namespace = _place(app)
    found = _pods(cluster, namespace, app)
    if container:
        found = _chosen(app, found, container)
    busy = [pod for pod in found if not pods.ended(pod)]
    if not busy:
        log.step("No run containers exist")
    for pod in busy:
        log.detail(f"Stopping {shown_name(app, pod) or pods.name(pod)}")
        _remove(cluster, namespace, pod)


def retire(app: str) -> None:
    """Remove what is over its time, of all apps without `app`. The cluster's own clock should have done it."""
    for each in [app] if app else [item for item in apps.all_apps() if apps.is_ours(item)]:
        try:
            cluster, namespace = _place(each)
            for job in cluster.list(_jobs(namespace), labels=f"app.kubernetes.io/part-of={each},{_TYPES}"):
                if _is_overdue(job) and shown_name(each, job):
                    log.detail(f"Retiring {shown_name(each, job)}")
                    cluster.delete(f"{_jobs(namespace)}/{name(job['metadata']['name'])}", "Foreground")
        except PluginError as error:
            if app:
                raise
            log.warn(f"Unable to retire the run containers of {each}: {error.message}")


def _place(app: str) -> tuple[Cluster, str]:
    where = place.of(app)
    return where.cluster(), where.namespace


def _pods(cluster: Cluster, namespace: str, app: str) -> list[Pod]:
    found = cluster.list(
        f"/api/v1/namespaces/{name(namespace)}/pods", labels=f"app.kubernetes.io/part-of={app},{_TYPES}"
    )
    return sorted((pod for pod in found if shown_name(app, pod)), key=_created)


def _jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{name(namespace)}/jobs"


def _created(item: Object) -> str:
    return str(item["metadata"].get("creationTimestamp") or "")


def _chosen(app: str, found: Sequence[Pod], container: str) -> list[Pod]:
    chosen = [pod for pod in found if container in (shown_name(app, pod), pods.name(pod))]
    if not chosen:
        raise PluginError(f"No run container {container} found for app {app}")
    return chosen


def _remove(cluster: Cluster, namespace: str, pod: Pod) -> None:
    job = (pod["metadata"].get("labels") or {}).get(_JOB)
    path = f"{_jobs(namespace)}/{name(job)}" if job else ""
    if not path or not cluster.delete(path, "Foreground"):
        cluster.delete(f"/api/v1/namespaces/{name(namespace)}/pods/{name(pods.name(pod))}")


def _entry(app: str, pod: Pod) -> dict[str, str]:
    spec = next(item for item in pod["spec"]["containers"] if item["name"] == pods.container(pod))
    phase = str((pod.get("status") or {}).get("phase") or "")
    states = {"Running": "running", "Succeeded": "exited", "Failed": "exited"}
    return {
        "name": shown_name(app, pod),
        "state": states.get(phase, "created"),
        "command": " ".join([*(spec.get("command") or ()), *(spec.get("args") or ())]),
        "created_at": _created(pod),
    }


def _seconds(timestamp: str) -> float:
    try:
        moment = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return time.time()
    return moment.replace(tzinfo=timezone.utc).timestamp()


def _ago(timestamp: str) -> str:
    seconds = max(0, int(time.time() - _seconds(timestamp)))
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} seconds ago"


def _is_overdue(job: Object) -> bool:
    status = job.get("status") or {}
    limit = job["spec"].get("activeDeadlineSeconds")
    if status.get("completionTime") or not limit or not status.get("startTime"):
        return False
    return time.time() - _seconds(str(status["startTime"])) > float(limit) + _OVERDUE
