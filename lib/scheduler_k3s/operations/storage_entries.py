"""storage-create, storage-destroy, storage-status: dokku's storage entries as releases of a volume claim each.

A claim belongs to a namespace and keeps its class, its mode and its place for ever: what cannot change is refused
before helm tries, with the way out.
"""

from scheduler_k3s import log, storage_entry
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import claim
from scheduler_k3s.operations import cluster_release, plan, state, target
from scheduler_k3s.quantity import parse
from scheduler_k3s.storage_entry import Entry
from scheduler_k3s.tools import release
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


def create(entry_name: str, text: str) -> None:
    """Make or change the entry's claim. Errors: PluginError; nothing has changed then."""
    entry = storage_entry.parse(entry_name, text)
    if entry.scheduler != "k3s":
        return
    storage_entry.check(entry)
    for told in storage_entry.warnings(entry):
        log.warn(told)
    cluster = target.cluster()
    _check_class(cluster, entry)
    _check_elsewhere(cluster, entry)
    live = cluster.find(_path(entry))
    if live is not None:
        _check_fixed(entry, live)
    state.ensure_namespace(cluster, entry.namespace)
    wanted = claim.objects(entry)
    newest = release.newest(cluster, entry.namespace, entry.release)
    plan.dry_run(cluster, wanted, newest, entry.release, namespace=entry.namespace)
    failure = f"Unable to store storage entry {entry.name} in the cluster"
    cluster_release.install(cluster, entry.release, entry.namespace, wanted, failure, wait=0.0)
    log.detail(f"Volume claim {entry.name} of {entry.size} in namespace {entry.namespace}")


def destroy(entry_name: str, text: str) -> None:
    """Uninstall the entry's release, if there is one. Errors: PluginError; dokku keeps its entry then."""
    entry = storage_entry.parse(entry_name, text)
    if entry.scheduler != "k3s" or target.k3s_is_absent(target.kubeconfig_path()):
        return
    cluster = target.cluster()
    newest = release.newest(cluster, entry.namespace, entry.release)
    if newest is None:
        return
    if release.MARK not in newest.manifest:
        log.warn(
            f"The helm release {entry.release} in namespace {entry.namespace} was not made by dokku and is left alone"
        )
        return
    _warn_of_users(cluster, entry)
    cluster_release.uninstall(entry.release, entry.namespace)
    kept = entry.host_path and entry.reclaim_policy == "Retain"
    log.detail(
        f"Removed volume claim {entry.name} from namespace {entry.namespace}"
        + (f"; the data stays in {entry.host_path} of the nodes" if kept else "")
    )


def status(entry_name: str, text: str) -> str:
    """The claim's phase: Bound, Pending or Lost. Errors: PluginError."""
    entry = storage_entry.parse(entry_name, text)
    live = target.cluster(attempts=2).find(_path(entry))
    if live is None:
        raise PluginError(
            f"Storage entry {entry.name} has no volume claim in namespace {entry.namespace}. "
            f"Make it again with: dokku storage:set {entry.name} size {entry.size or '1Gi'}"
        )
    return str((live.get("status") or {}).get("phase") or "Pending")


def _check_class(cluster: Cluster, entry: Entry) -> None:
    if not entry.storage_class or entry.host_path:
        return
    known = sorted(item["metadata"]["name"] for item in _visible(cluster, _CLASSES))
    if known and entry.storage_class not in known:
        raise PluginError(
            f"Storage class {entry.storage_class} of storage entry {entry.name} does not exist in the cluster. "
            f"It has: {', '.join(known)}"
        )


def _check_elsewhere(cluster: Cluster, entry: Entry) -> None:
    """A claim cannot move, and a second one would be empty."""
    found = _visible(cluster, "/api/v1/secrets", f"owner=helm,name={entry.release}")
    others = sorted({item["metadata"]["namespace"] for item in found} - {entry.namespace})
    if not others:
        return
    newest = release.newest(cluster, others[0], entry.release)
    if newest is not None and release.MARK in newest.manifest:
        raise PluginError(
            f"Storage entry {entry.name} is in namespace {others[0]} already, and a volume claim with its data cannot "
            f"move to {entry.namespace}\n"
            f"Set it back: dokku storage:set {entry.name} namespace {others[0]}, or make "
            f"another entry: dokku storage:create NAME --scheduler k3s --namespace {entry.namespace}"
        )


def _check_fixed(entry: Entry, live: Object) -> None:
    """What Kubernetes lets nobody change in a claim, and a size only grow."""
    spec = live["spec"]
    wanted = claim.claim(entry)["spec"]
    fixed = [("access-mode", (spec.get("accessModes") or [""])[0], entry.access_mode)]
    if "storageClassName" in wanted:
        now = spec.get("storageClassName", "")
        fixed.append(("storage-class", now or "none", wanted["storageClassName"] or "none"))
    for what, now, then in fixed:
        if now != then:
            raise PluginError(
                f"Storage entry {entry.name} has {what} {now}, which cannot become {then}: Kubernetes keeps it for "
                f"the life of a volume claim. Set it back, or make another entry and copy the data"
            )
    now = str(((spec.get("resources") or {}).get("requests") or {}).get("storage") or "0")
    if parse(entry.size) < parse(now):
        raise PluginError(
            f"Storage entry {entry.name} has {now}, and a volume claim cannot shrink to {entry.size}. "
            f"Set it back: dokku storage:set {entry.name} size {now}"
        )


def _visible(cluster: Cluster, path: str, labels: str = "") -> list[Object]:
    """The items of the whole cluster; none for a user that may not look there."""
    try:
        return cluster.list(path, labels=labels, metadata_only=True)
    except ApiError as error:
        if error.code == 403:
            return []
        raise


def _warn_of_users(cluster: Cluster, entry: Entry) -> None:
    """Kubernetes keeps a claim until the last pod that has it mounted is gone."""
    items = cluster.list(f"/api/v1/namespaces/{name(entry.namespace)}/pods")
    users = [item["metadata"]["name"] for item in items if entry.name in _claims(item)]
    if users:
        log.warn(
            f"Volume claim {entry.name} goes once these pods of namespace {entry.namespace} have ended: "
            f"{', '.join(sorted(users)[:5])}"
        )


def _claims(pod: Object) -> list[str]:
    volumes = pod["spec"].get("volumes") or []
    return [(volume.get("persistentVolumeClaim") or {}).get("claimName", "") for volume in volumes]


def _path(entry: Entry) -> str:
    return f"/api/v1/namespaces/{name(entry.namespace)}/persistentvolumeclaims/{name(entry.name)}"
