"""scheduler-stop: no replicas and no cron tasks any more. The release stays, so the next deploy undoes it."""

from scheduler_k3s import log
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import place, target
from scheduler_k3s.operations.place import Place
from scheduler_k3s.operations.state import NAME, PART_OF
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

PAUSED = "autoscaling.keda.sh/paused-replicas"
STOPPED = "dokku.com/stopped"
VERSION = "app.kubernetes.io/version"


def stop(app: str, is_destroyed: bool) -> None:
    """Scale every process to 0 and suspend the cron tasks; running Jobs end by themselves.

    An app that is being destroyed is not held up by a cluster that is away. Errors: PluginError.
    """
    where = place.of(app)
    if target.k3s_is_absent(where.kubeconfig):
        log.warn("k3s is not installed, skipping")
        return
    try:
        _stop(app, where)
    except PluginError as error:
        if not is_destroyed:
            raise PluginError(
                f"{error.message}\n{app} may still run in namespace {where.namespace}. "
                f"Stop it once the cluster answers: dokku ps:stop {app}"
            ) from None
        log.warn(f"Unable to stop {app} in namespace {where.namespace}: {error.message}")


def pause_autoscaling(cluster: Cluster, app: str, namespace: str) -> None:
    """Tell KEDA to keep the app's processes at 0."""
    for path in _paths(cluster, app, namespace, "keda.sh/v1alpha1", "scaledobjects"):
        cluster.merge(path, {"metadata": {"annotations": {PAUSED: "0"}}})


def resume_autoscaling(cluster: Cluster, app: str, namespace: str) -> None:
    """Let KEDA scale again what `stop` told it to keep at 0."""
    for path in _paths(cluster, app, namespace, "keda.sh/v1alpha1", "scaledobjects"):
        cluster.merge(path, {"metadata": {"annotations": {PAUSED: None}}})


def _stop(app: str, where: Place) -> None:
    cluster = where.cluster()
    base = f"/apis/apps/v1/namespaces/{name(where.namespace)}/deployments"
    pause_autoscaling(cluster, app, where.namespace)
    for item in cluster.list(base, labels=f"{PART_OF}={app}"):
        metadata = item["metadata"]
        log.detail(f"Stopping {metadata['labels'].get(NAME, metadata['name'])} process")
        cluster.merge(f"{base}/{name(metadata['name'])}/scale", {"spec": {"replicas": 0}})
    for path, item in _items(cluster, app, where.namespace, "batch/v1", "cronjobs"):
        cluster.merge(path, _suspended(item))


def is_stopped(cron_job: Object) -> bool:
    """Whether `stop` suspended it. The mark is the id of the deploy it was made by, so the next deploy takes it off."""
    annotations = cron_job["metadata"].get("annotations") or {}
    mark = annotations.get(STOPPED)
    return bool(mark and mark == annotations.get(VERSION) and cron_job["spec"].get("suspend"))


def _suspended(cron_job: Object) -> Object:
    version = (cron_job["metadata"].get("annotations") or {}).get(VERSION)
    mark: Object = {"metadata": {"annotations": {STOPPED: version}}} if version else {}
    return {**mark, "spec": {"suspend": True}}


def _paths(cluster: Cluster, app: str, namespace: str, group: str, kind: str) -> list[str]:
    return [path for path, _ in _items(cluster, app, namespace, group, kind)]


def _items(cluster: Cluster, app: str, namespace: str, group: str, kind: str) -> list[tuple[str, Object]]:
    """The app's objects of a kind; none where the cluster does not know the kind."""
    base = f"/apis/{group}/namespaces/{name(namespace)}/{kind}"
    try:
        items = cluster.list(base, labels=f"{PART_OF}={app}", metadata_only=True)
    except ApiError as error:
        if error.code == 404:
            return []
        raise
    return [(f"{base}/{name(item['metadata']['name'])}", item) for item in items]
