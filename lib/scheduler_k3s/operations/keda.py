"""What a deploy asks the cluster of KEDA, and what it does so that KEDA's replica counts outlive it."""

from collections.abc import Sequence

from scheduler_k3s.app import App
from scheduler_k3s.manifests import chart
from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.operations.stop import PAUSED, resume_autoscaling
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA, Keda
from scheduler_k3s.tools import release, resources
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name
from scheduler_k3s.tools.release import Release


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


def prepare(
    cluster: Cluster, app: App, wanted: Sequence[Object], served: frozenset[str], newest: Release | None
) -> None:
    """Before helm: let KEDA scale a stopped app again, and have helm leave the replica counts to it.

    helm would take a count away that the last manifest has and the new one has not, which leaves one replica. And
    it fails over objects in the last manifest whose kind the cluster does not know any more, as when KEDA was
    removed. So both are taken out of the records of the last manifests; live counts stay. `newest` is the last
    revision as it was read before.
    """
    if app.keda.paused:
        resume_autoscaling(cluster, app.name, app.namespace)
    left_out = {
        item["metadata"]["name"]
        for item in wanted
        if item["kind"] == "Deployment" and "replicas" not in item["spec"]
    }
    gone = {KEDA, HTTP_ADD_ON} - served
    if newest is None or not (left_out or any(version in newest.manifest for version in gone)):
        return
    found = [release.newest(cluster, app.namespace, app.name, status) for status in ("", "deployed")]
    for revision in {item.revision: item for item in found if item is not None}.values():
        manifest = reduced(revision.manifest, left_out, gone)
        if manifest != revision.manifest:
            release.set_manifest(cluster, revision, manifest)


def forget_unserved(cluster: Cluster, app: str, namespace: str) -> None:
    """Before helm removes a release: it fails over KEDA's objects as well when the cluster does not know them."""
    newest = release.newest(cluster, namespace, app)
    if newest is None or KEDA not in newest.manifest:
        return
    manifest = reduced(newest.manifest, set(), {KEDA, HTTP_ADD_ON} - _served(cluster))
    if manifest != newest.manifest:
        release.set_manifest(cluster, newest, manifest)


def _served(cluster: Cluster) -> frozenset[str]:
    groups = cluster.get("/apis").get("groups") or []
    known = {version["groupVersion"] for group in groups for version in group.get("versions") or ()}
    return frozenset({KEDA, HTTP_ADD_ON} & known)


def reduced(manifest: str, deployments: set[str], gone: set[str]) -> str:
    """The manifest without the replica counts of these Deployments and without the objects of these API versions;
    everything else stays as it is."""
    documents = ("\n" + manifest).split("\n---")
    for number, text in enumerate(documents):
        for item in resources.manifest_objects(text):
            spec = item.get("spec") or {}
            if (
                item["kind"] == "Deployment"
                and item["metadata"]["name"] in deployments
                and "replicas" in spec
            ):
                rest = {key: value for key, value in spec.items() if key != "replicas"}
                documents[number] = "\n" + chart.to_json({**item, "spec": rest})
            if item["apiVersion"] in gone:
                documents[number] = ""
    return "\n---".join(documents).removeprefix("\n")
