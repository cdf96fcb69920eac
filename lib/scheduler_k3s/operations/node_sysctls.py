"""`scheduler-k3s:node-sysctls:set` and `node-sysctls:report`, and the releases that bring sysctls to the nodes."""

from scheduler_k3s import log, profiles, reports, settings, sysctls
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scheduler_k3s.tools.cluster import Cluster

NAMESPACE = "kube-system"
_RELEASE = "dokku-node-sysctls"
_PATIENCE = 5.0
_INSTALL = "error installing node sysctls chart"
_UNINSTALL = "error uninstalling node sysctls chart"
_CHECK = "error checking if node sysctls chart exists"


def set_sysctl(profile: str, is_global: bool, name: str, value: str) -> None:
    """Store it and bring all nodes to what is stored; a cluster that does not answer gets it with the next change."""
    if profile and is_global:
        raise PluginError("Only one of --global and --profile may be specified")
    if not name:
        raise PluginError("Missing sysctl name")
    if profile and profile not in profiles.names():
        raise PluginError(f"Node profile {profile} not found")
    sysctls.change(profile, name, value)
    if not value:
        log.warn(
            f"Removing {name} stops dokku managing it, "
            "but does not restore the previous value on affected nodes until they reboot"
        )
    reconcile()


def show(layout: str) -> None:
    reports.check_format(layout)
    found = {profile or properties.GLOBAL: values for profile, values in sysctls.resolved().items()}
    if layout == "json":
        reports.as_json(found)
    else:
        rows = [
            (scope, name, value) for scope, values in found.items() for name, value in sorted(values.items())
        ]
        reports.table(("scope", "sysctl", "value"), rows)


def reconcile() -> None:
    """Install, upgrade or remove the release of every scope. Nothing happens when the API does not answer."""
    wanted = sysctls.resolved()
    cluster = _reachable()
    if cluster is not None:
        for profile, values in wanted.items():
            _apply(cluster, profile, values)


def remove_profile(profile: str) -> None:
    """Remove the release of a profile that is gone, and tell of nodes that still carry its label."""
    cluster = _reachable()
    if cluster is None:
        return
    _remove(cluster, profile)
    label = f"dokku.com/node-profile={profile}"
    nodes = cluster.list("/api/v1/nodes", labels=label, metadata_only=True)
    if nodes:
        names = " ".join(node["metadata"]["name"] for node in nodes)
        log.warn(
            f"Nodes with label {label} get no sysctls any more. To treat them as nodes without a profile: "
            f"kubectl label node {names} dokku.com/node-profile-"
        )


def release_name(profile: str) -> str:
    from scheduler_k3s import names

    return names.release(f"{_RELEASE}-profile-{profile}") if profile else f"{_RELEASE}-global"


def _apply(cluster: "Cluster", profile: str, values: dict[str, str]) -> None:
    from scheduler_k3s.manifests.node_sysctls import daemon_set
    from scheduler_k3s.operations import cluster_release

    if not values:
        _remove(cluster, profile)
        return
    log.detail_quiet(
        "Applying node sysctls for " + (f"node profile {profile}" if profile else "unprofiled nodes")
    )
    images = [
        settings.value(settings.GLOBAL, name) for name in ("node-sysctls-image", "node-sysctls-pause-image")
    ]
    release = release_name(profile)
    item = daemon_set(release, profile, values, *images)
    with cluster_release.failing(_INSTALL):
        cluster_release.install(cluster, release, NAMESPACE, [item], _INSTALL, wait=0.0)


def _remove(cluster: "Cluster", profile: str) -> None:
    from scheduler_k3s.operations import cluster_release

    release = release_name(profile)
    with cluster_release.failing(_CHECK):
        exists = cluster_release.exists(cluster, release, NAMESPACE)
    if exists:
        log.detail_quiet(f"Removing node sysctls release {release}")
        with cluster_release.failing(_UNINSTALL):
            cluster_release.uninstall(release, NAMESPACE)


def _reachable() -> "Cluster | None":
    try:
        cluster = target.cluster(attempts=2, timeout=_PATIENCE)
        cluster.get("/version")
    except PluginError as error:
        log.debug(f"The node sysctls are not brought to the cluster: {error.message}")
        return None
    return cluster
