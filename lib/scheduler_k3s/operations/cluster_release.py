"""Releases of the whole cluster, such as the letsencrypt issuers: not of an app, and installed at once."""

from collections.abc import Sequence

from scheduler_k3s.dokku import host, properties
from scheduler_k3s.manifests import chart
from scheduler_k3s.operations import auxiliary, lock, signals, state, target
from scheduler_k3s.tools import helm, private, release
from scheduler_k3s.tools.cluster import Cluster, Object

_WAIT = 300.0
_INTERRUPTED = "ended by dokku: the command that made this revision was killed"


def install(cluster: Cluster, name: str, namespace: str, objects: Sequence[Object], failure: str) -> None:
    """Install or upgrade a release of these objects; the namespace is made. A failed upgrade is rolled back.

    Errors: PluginError with helm's words after `failure`.
    """
    private.path("helm")
    with signals.cancellable(f"{failure}: cancelled"), lock.app_lock(properties.GLOBAL) as inherited:
        state.ensure_namespace(cluster, namespace)
        _end_pending(cluster, name, namespace)
        is_deployed = release.newest(cluster, namespace, name, "deployed") is not None
        files = auxiliary.checked(name, chart.files(name, auxiliary.VERSION, objects, {}))
        where = helm.Target(target.kubeconfig_path(), target.kube_context())
        with helm.session(where, host.data(properties.GLOBAL), (inherited,)) as runner:
            upgrade = runner.upgrade(name, namespace, files, wait=_WAIT, rollback=is_deployed)
            try:
                auxiliary.finish(upgrade, failure)
            finally:
                upgrade.abort(_WAIT if is_deployed else 0.0)


def _end_pending(cluster: Cluster, name: str, namespace: str) -> None:
    """Our lock is held: whoever left a revision pending is dead, with its helm."""
    newest = release.newest(cluster, namespace, name)
    if newest is not None and newest.status in release.PENDING:
        release.set_status(cluster, newest, "failed", _INTERRUPTED)
