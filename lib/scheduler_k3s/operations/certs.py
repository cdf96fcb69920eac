"""post-certs-update, post-certs-remove: the certificates that dokku keeps -> the cluster, without a new pod.

Routers notice a Secret that changes. Only when https begins or ends for an app are its routes written again.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from scheduler_k3s import log
from scheduler_k3s.dokku import apps, host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart
from scheduler_k3s.operations import auxiliary, imported, lock, place, plan, state, target
from scheduler_k3s.operations.place import Place
from scheduler_k3s.tools import helm, private, release, resources
from scheduler_k3s.tools.cluster import Cluster, Unreachable
from scheduler_k3s.tools.release import Release
from scheduler_k3s.tools.revisions import revisions_of

_QUICK = 3.0


def updated(app: str) -> None:
    """Bring the certificate into the cluster, and let the app's routes use it.

    Errors: PluginError for a pair that cannot serve; the cluster keeps the one it has.
    """
    where = _place(app)
    found = imported.pair(app) if where else None
    if where is None or found is None:
        return
    for text in imported.check(app, found):
        log.warn(text)
    cluster = _cluster(
        where, f"The certificate of {app} gets there with the next deploy: dokku ps:restart {app}"
    )
    if cluster is None:
        return
    if sync(cluster, app, where):
        log.detail(
            f"Certificate of {app} written to Secret {imported.release_name(app)} in namespace {where.namespace}"
        )
    else:
        log.detail(f"The cluster has this certificate of {app} already")
    _route(cluster, app, where, secured=True)


def removed(app: str) -> None:
    """Routes first, so that they never name a certificate that is not there."""
    where = _place(app)
    if where is None or not (properties.read(app, imported.PROPERTY) or place.read(place.note(app))):
        return
    cluster = _cluster(where, f"The certificate of {app} leaves with the next deploy: dokku ps:restart {app}")
    imported.mark(app, imported.REMOVED)
    if cluster is None:
        return
    if not revisions_of(cluster, where.namespace, imported.release_name(app)):
        imported.mark(app, "")
        return
    _route(cluster, app, where, secured=False)
    forget(app)


def forget(app: str) -> None:
    """Take a certificate out of the cluster that dokku has not any more and no route names; nothing when done."""
    if properties.read(app, imported.PROPERTY) != imported.REMOVED:
        return
    where = place.of(app)
    cluster = where.cluster()
    if _routes(release.newest(cluster, where.namespace, app), app) != "secured":
        with lock.app_lock(app) as inherited, _helm(app, where, inherited) as runner:
            runner.uninstall(where.namespace, imported.release_name(app))
        imported.mark(app, "")
        log.detail(f"Certificate of {app} removed from namespace {where.namespace}")


def sync_all() -> None:
    """After an installation: the certificates that the cluster does not have, of all apps. Silent without a cluster."""
    for app in apps.all_apps():
        found = imported.pair(app) if apps.is_ours(app) else None
        where = _place(app) if found else None
        if where is None:
            continue
        try:
            cluster = where.cluster(attempts=1, timeout=_QUICK)
            if sync(cluster, app, where):
                log.detail(f"Certificate of {app} written to namespace {where.namespace}")
        except Unreachable:
            return
        except PluginError as error:
            log.warn(error.message)


def sync(cluster: Cluster, app: str, where: Place) -> bool:
    """Write the Secret unless the cluster has it as it is. True when it was written. Errors: PluginError."""
    known = imported.read(cluster, app, where.namespace)
    if known.item is None:
        raise PluginError(" ".join(known.told) or f"dokku has no certificate of {app}")
    if known.outdated:
        name = imported.release_name(app)
        files = {name: auxiliary.checked(name, chart.files(name, auxiliary.VERSION, [known.item], {}))}
        with lock.app_lock(app) as inherited, _helm(app, where, inherited) as runner:
            release.end_abandoned(cluster, known.revision)
            state.ensure_namespace(cluster, where.namespace)
            plan.dry_run(cluster, [known.item], known.revision, name)
            auxiliary.write(runner, where.namespace, files)
    imported.mark(app, "true")
    return known.outdated


def _route(cluster: Cluster, app: str, where: Place, secured: bool) -> None:
    """Deploy again, without new pods, an app whose routes are not as they should be. One that was never deployed,
    or is stopped, gets there by its next deploy."""
    newest = release.newest(cluster, where.namespace, app)
    now = _routes(newest, app)
    if newest is None or now == ("secured" if secured else "plain") or not now:
        return
    if properties.read(app, "restore", plugin="ps") == "false":
        log.detail(f"{app} is stopped: its routes follow when it is started, with: dokku ps:start {app}")
        return
    from scheduler_k3s.operations.deploy import deploy

    log.step(f"Routing {app} with{'' if secured else 'out'} its certificate")
    tag = newest.value("global.image.name").rpartition("/")[2].partition(":")[2]
    deploy(app, tag, held=True)


def _routes(newest: Release | None, app: str) -> str:
    """Whether the app's routes name the imported certificate: secured, plain, or empty where it has no routes."""
    found = resources.manifest_objects(newest.manifest) if newest else ()
    routes = [item["spec"] for item in found if item["kind"] in ("Ingress", "IngressRoute")]
    if not routes:
        return ""
    named = {name for spec in routes for name in _secrets(spec.get("tls"))}
    return "secured" if imported.release_name(app) in named else "plain"


def _secrets(tls: Any) -> list[str]:
    """An Ingress has a list of certificates, an IngressRoute one."""
    entries = [tls] if isinstance(tls, Mapping) else tls or []
    return [entry.get("secretName", "") for entry in entries]


def _place(app: str) -> Place | None:
    """Where the app is; None for an app of another scheduler, and on a host that was to run k3s but does not."""
    apps.check_name(app)
    if not apps.is_ours(app):
        return None
    where = place.of(app)
    return None if target.k3s_is_absent(where.kubeconfig) else where


def _cluster(where: Place, otherwise: str) -> Cluster | None:
    try:
        cluster = where.cluster(attempts=2, timeout=5.0)
        cluster.get("/version")
    except PluginError as error:
        log.warn(f"{error.message}\n{otherwise}")
        return None
    return cluster


def _helm(app: str, where: Place, inherited: int) -> AbstractContextManager[helm.Helm]:
    private.path("helm")
    return helm.session(helm.Target(where.kubeconfig, where.context), host.data(app), (inherited,))
