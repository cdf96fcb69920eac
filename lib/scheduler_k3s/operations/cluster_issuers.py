"""The ClusterIssuers for letsencrypt, made when the addresses of the host change."""

from scheduler_k3s import settings
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.issuer import API_VERSION, SERVERS, cluster_issuers
from scheduler_k3s.operations import cluster_release, target
from scheduler_k3s.tools.cluster import Cluster
from scheduler_k3s.tools.revisions import revisions_of

NAME = "cluster-issuers"
NAMESPACE = "cert-manager"
_FAILURE = "Error installing cluster-issuer chart"


def apply() -> None:
    """Bring the cluster to the global properties. Errors: PluginError; the properties stay stored."""
    with cluster_release.failing(_FAILURE):
        _apply()


def exists(cluster: Cluster) -> bool:
    """Whether there is a release, with issuers or by now without."""
    return bool(revisions_of(cluster, NAMESPACE, NAME))


def _apply() -> None:
    emails = {server: settings.value(settings.GLOBAL, f"letsencrypt-email-{server}") for server in SERVERS}
    issuers = cluster_issuers(emails, settings.value(settings.GLOBAL, "ingress-class"))
    cluster = target.cluster()
    if not issuers and not exists(cluster):
        return
    if issuers and cluster.find(f"/apis/{API_VERSION}") is None:
        command = "dokku scheduler-k3s:ensure-charts --charts cert-manager"
        raise PluginError(f"cert-manager is not installed in the cluster. Install it with: {command}")
    cluster_release.install(cluster, NAME, NAMESPACE, issuers, _FAILURE)
