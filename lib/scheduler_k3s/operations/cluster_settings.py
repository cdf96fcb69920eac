"""What the properties ask of the cluster beyond apps: brought there when set, and again with the charts.

So what was set before there was a cluster, or while it did not answer, gets there in the end.
"""

from scheduler_k3s import log, settings, trigger_auth
from scheduler_k3s.dokku import properties
from scheduler_k3s.manifests import cluster_trigger_auth as keda
from scheduler_k3s.manifests import issuer
from scheduler_k3s.operations import cluster_issuers, cluster_trigger_auth, node_sysctls, target

_EMAILS = ("letsencrypt-email-prod", "letsencrypt-email-stag")


def reconcile() -> None:
    """Letsencrypt issuers, authentication of autoscaling triggers, sysctls of nodes.

    What is set for a chart that is not installed is told about. Errors: PluginError.
    """
    cluster = target.cluster()
    emails = [name for name in _EMAILS if settings.value(settings.GLOBAL, name)]
    if emails and cluster.find(f"/apis/{issuer.API_VERSION}") is None:
        _warn(f"{emails[0]} is set, but cert-manager is not installed: apps get no https", "cert-manager")
    elif emails or cluster_issuers.exists(cluster):
        log.headline_quiet("Applying cluster issuers")
        cluster_issuers.apply()
    triggers = trigger_auth.stored(properties.GLOBAL)
    if triggers and cluster.find(f"/apis/{keda.API_VERSION}") is None:
        _warn("Trigger authentication is set for all apps, but KEDA is not installed", "keda")
    elif triggers:
        log.headline_quiet("Applying trigger authentication")
        for trigger in triggers:
            cluster_trigger_auth.apply(trigger)
    log.headline_quiet("Applying node sysctls")
    node_sysctls.reconcile()


def _warn(text: str, chart: str) -> None:
    log.warn(f"{text}. Install it with: dokku scheduler-k3s:ensure-charts --charts {chart}")
