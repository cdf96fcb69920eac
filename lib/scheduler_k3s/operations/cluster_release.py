"""Releases of the whole cluster, such as the letsencrypt issuers: not of an app, and installed at once."""

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial

from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart
from scheduler_k3s.operations import auxiliary, lock, signals, state, target
from scheduler_k3s.tools import helm, private, release
from scheduler_k3s.tools.cluster import Cluster, Object
from scheduler_k3s.tools.revisions import revisions_of

_WAIT = 300.0
_LATER = "What is set stays stored. Bring it to the cluster with: dokku scheduler-k3s:ensure-charts"


def install(
    cluster: Cluster,
    name: str,
    namespace: str,
    objects: Sequence[Object],
    failure: str,
    *,
    wait: float = _WAIT,
) -> None:
    """Install or upgrade a release of these objects; the namespace is made. A failed upgrade is rolled back.

    `wait` is how many seconds helm waits for the objects; with 0 it does not, and nothing is rolled back.
    Errors: PluginError with helm's words after `failure`.
    """
    private.path("helm")
    with signals.cancellable(f"{failure}: cancelled"), lock.app_lock(properties.GLOBAL) as inherited:
        state.ensure_namespace(cluster, namespace)
        release.end_abandoned(cluster, release.newest(cluster, namespace, name))
        is_deployed = release.newest(cluster, namespace, name, "deployed") is not None
        files = auxiliary.checked(name, chart.files(name, auxiliary.VERSION, objects, {}))
        with helm.session(_target(), host.data(properties.GLOBAL), (inherited,)) as runner:
            is_safe = is_deployed and wait > 0
            start = partial(runner.upgrade, name, namespace, files, wait=wait, rollback=is_safe)
            with helm.started(start, wait if is_safe else 0.0) as upgrade:
                auxiliary.finish(upgrade, failure)


def exists(cluster: Cluster, name: str, namespace: str) -> bool:
    return bool(revisions_of(cluster, namespace, name))


def uninstall(name: str, namespace: str) -> None:
    """Errors: PluginError with helm's words."""
    private.path("helm")
    with (
        signals.cancellable("cancelled"),
        lock.app_lock(properties.GLOBAL) as inherited,
        helm.session(_target(), host.data(properties.GLOBAL), (inherited,)) as runner,
    ):
        runner.uninstall(namespace, name)


@contextlib.contextmanager
def failing(failure: str) -> Iterator[None]:
    """Let every error begin with what failed, once."""
    try:
        yield
    except PluginError as error:
        text = error.message.removeprefix(f"{failure}: ")
        raise PluginError(f"{failure}: {text}", error.exit_code) from None


@contextlib.contextmanager
def stored() -> Iterator[None]:
    """Let every error say that what was set is not lost, and how it gets to the cluster."""
    try:
        yield
    except PluginError as error:
        remedy = "" if "ensure-charts" in error.message else f"\n{_LATER}"
        raise PluginError(f"{error.message}{remedy}", error.exit_code) from None


def _target() -> helm.Target:
    return helm.Target(target.kubeconfig_path(), target.kube_context())
