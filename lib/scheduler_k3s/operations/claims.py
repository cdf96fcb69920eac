"""The volume claims that an app mounts: without one its pods would wait until the deploy's time is over."""

from scheduler_k3s.app import App
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import Cluster, name


def check(cluster: Cluster, model: App) -> None:
    """Errors: PluginError for a claim that is not in the app's namespace."""
    for claim in dict.fromkeys(mount.claim for mount in model.mounts):
        path = f"/api/v1/namespaces/{name(model.namespace)}/persistentvolumeclaims/{name(claim)}"
        if cluster.find(path) is None:
            raise PluginError(
                f"Storage entry {claim} of {model.name} has no volume claim in namespace {model.namespace} of the "
                "cluster, and pods would wait for it\n"
                f"dokku makes it again when the entry changes: dokku storage:set {claim} size SIZE. "
                f"Or take it away: dokku storage:unmount {model.name} {claim}"
            )
