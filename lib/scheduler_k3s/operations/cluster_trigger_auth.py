"""The release of a trigger's authentication for all apps, changed as soon as it is set."""

from scheduler_k3s import log, names, trigger_auth
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.cluster_trigger_auth import API_VERSION, NAMESPACE, cluster_trigger_auth
from scheduler_k3s.operations import cluster_release, target

_INSTALL = "Unable to install chart"


def apply(trigger: str) -> None:
    """Bring the cluster to what is stored for the trigger. Errors: PluginError; what is stored stays."""
    with cluster_release.failing("Unable to create helm agent"):
        cluster = target.cluster()
        cluster.get("/version")
    release = names.release(f"keda-cluster-trigger-authentications-{trigger}")
    pairs = trigger_auth.stored(properties.GLOBAL).get(trigger, {})
    if not pairs:
        with cluster_release.failing("Unable to uninstall chart"):
            if cluster_release.exists(cluster, release, NAMESPACE):
                cluster_release.uninstall(release, NAMESPACE)
                log.step_quiet(f"Removed {release} chart")
        return
    with cluster_release.failing(_INSTALL):
        if cluster.find(f"/apis/{API_VERSION}") is None:
            command = "dokku scheduler-k3s:ensure-charts --charts keda"
            raise PluginError(f"KEDA is not installed in the cluster. Install it with: {command}")
        cluster_release.install(cluster, release, NAMESPACE, cluster_trigger_auth(trigger, pairs), _INSTALL)
    log.step_quiet(f"Applied {release} chart")
