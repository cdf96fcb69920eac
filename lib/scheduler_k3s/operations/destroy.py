"""scheduler-post-delete: takes an app out of the cluster. The namespace stays, it may hold what is not dokku's."""

import os
import shutil
from collections.abc import Mapping
from typing import Any

from scheduler_k3s import log, names
from scheduler_k3s.dokku import apps, host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.metadata import MANAGED
from scheduler_k3s.operations import left_behind, lock, place, records, target
from scheduler_k3s.operations.left_behind import Remains
from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.tools import helm, release
from scheduler_k3s.tools.cluster import Cluster, name

MARK = next(iter(MANAGED))
_ISSUED = "cert-manager.io/certificate-name"
_QUICK = 3.0


def destroy(app: str) -> None:
    """Remove all that the app has in the cluster, and what dokku's logs plugin keeps of it.

    dokku would stop half-way at an error, with the app half gone. So what cannot be removed now is said, noted
    and removed by a later command.
    """
    apps.check_name(app)
    _remove_or_remember(app)
    properties.destroy(app, plugin="logs")
    shutil.rmtree(host.data(app, "logs"), ignore_errors=True)
    clean()


def remaining(app: str) -> None:
    """Remove an app that was deployed here but that another scheduler was asked to destroy (after a rename or a
    change of scheduler), and say so."""
    apps.check_name(app)
    if not os.path.isfile(place.note(app)):
        return
    where = place.of(app)
    if _remove_or_remember(app):
        properties.delete(app, "tls-cert-imported")
        log.detail(f"Removed the releases of {app} from namespace {where.namespace} of the cluster")


def clean() -> None:
    """Try again to remove what earlier commands had to leave. Quick, and silent when it is still not possible."""
    for remains in left_behind.known():
        if target.k3s_is_absent(remains.place.kubeconfig):
            left_behind.forget(remains)
            continue
        try:
            cluster = remains.place.cluster(attempts=1, timeout=_QUICK)
            is_alive = left_behind.exists(remains.app)
            if is_alive and not place.is_elsewhere(place.of(remains.app), remains.place, cluster):
                left_behind.forget(remains)
                continue
            remove(remains, cluster)
        except PluginError as error:
            log.debug(f"{remains.app} is still in namespace {remains.place.namespace}: {error.message}")
        else:
            left_behind.forget(remains)
            log.detail(f"Removed {remains.app}, destroyed earlier, from namespace {remains.place.namespace}")
            if not is_alive:
                shutil.rmtree(host.data(remains.app), ignore_errors=True)


def remove(remains: Remains, cluster: Cluster) -> None:
    """Uninstall the app's releases, then delete what no release holds. Errors: PluginError; can be repeated."""
    cluster.get("/version")
    with lock.app_lock(remains.app) as inherited:
        remove_held(remains, cluster, inherited)


def remove_held(remains: Remains, cluster: Cluster, inherited: int) -> None:
    """The same for who holds the app's lock already; `inherited` is what helm is to hold."""
    app, (namespace, *where) = remains
    found = [item for item in releases(app) if _is_ours(cluster, namespace, item)]
    if found:
        records.forget_unknown(cluster, app, namespace)
        with helm.session(helm.Target(*where), host.data(app), (inherited,)) as runner:
            runner.uninstall(namespace, *found)
    jobs = f"/apis/batch/v1/namespaces/{name(namespace)}/jobs"
    for job in cluster.list(jobs, labels=f"{PART_OF}={app}", metadata_only=True):
        if _annotations(job).get(MARK) == "true":
            cluster.delete(f"{jobs}/{name(job['metadata']['name'])}")
    path = f"/api/v1/namespaces/{name(namespace)}/secrets/{name(f'tls-{app}-web')}"
    secret = cluster.find(path)
    if secret is not None and _ISSUED in _annotations(secret):
        cluster.delete(path)


def releases(app: str) -> list[str]:
    """Those that there can be: helm takes no longer name, and the API server no much longer one in a selector."""
    wanted = [app, *(f"{prefix}-{app}" for prefix in ("tls", "config", "pull-secret"))]
    return [item for item in wanted if len(item) <= names.RELEASE]


def _remove_or_remember(app: str) -> bool:
    """False for what stays."""
    if not releases(app):
        return True
    remains = Remains(app, place.of(app))
    where = remains.place
    if target.k3s_is_absent(where.kubeconfig):
        log.warn("k3s is not installed, skipping")
        removed = False
    else:
        try:
            remove(remains, where.cluster(attempts=2))
            removed = True
        except PluginError as error:
            removed = False
            left_behind.remember(remains)
            log.warn(
                f"{error.message}\n"
                f"What {app} has in the cluster stays there for now: the releases {', '.join(releases(app))} "
                f"in namespace {where.namespace} (kubeconfig {where.kubeconfig})\n"
                "The next deploy or destroy of an app of this host removes them, if the cluster answers then"
            )
        else:
            left_behind.forget(remains)
    if os.path.isfile(place.note(app)):
        os.unlink(place.note(app))
    return removed


def _is_ours(cluster: Cluster, namespace: str, item: str) -> bool:
    """Somebody may have a release of their own by the name of an app that was never deployed."""
    found = release.newest(cluster, namespace, item)
    if found is None:
        return False
    if not found.is_dokkus:
        log.warn(f"The helm release {item} in namespace {namespace} was not made by dokku and is left alone")
        return False
    return True


def _annotations(item: Mapping[str, Any]) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}
