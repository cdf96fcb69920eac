"""What a deploy asks the cluster of KEDA."""

from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.operations.stop import PAUSED
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA, Keda
from scheduler_k3s.tools.cluster import ApiError, Cluster, name


def read(cluster: Cluster, app: str, namespace: str) -> Keda:
    """A cluster without KEDA is asked one question only. Errors: PluginError, but not for what is not installed."""
    served = _served(cluster)
    if KEDA not in served:
        return Keda()
    try:
        everywhere = cluster.list(f"/apis/{KEDA}/clustertriggerauthentications", metadata_only=True)
        path = f"/apis/{KEDA}/namespaces/{name(namespace)}/scaledobjects"
        own = cluster.list(path, labels=f"{PART_OF}={app}", metadata_only=True)
    except ApiError as error:
        if error.code == 404:
            return Keda()
        raise
    return Keda(
        served=served,
        cluster_authentications=frozenset(item["metadata"]["name"] for item in everywhere),
        paused=any(PAUSED in (item["metadata"].get("annotations") or {}) for item in own),
    )


def _served(cluster: Cluster) -> frozenset[str]:
    groups = cluster.get("/apis").get("groups") or []
    known = {version["groupVersion"] for group in groups for version in group.get("versions") or ()}
    return frozenset({KEDA, HTTP_ADD_ON} & known)
