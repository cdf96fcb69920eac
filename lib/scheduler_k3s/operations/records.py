"""Takes out of helm's records of an app what would mislead helm's three-way merge. Live objects stay as they are."""

from collections.abc import Sequence

from scheduler_k3s.manifests import chart
from scheduler_k3s.tools import release, resources
from scheduler_k3s.tools.cluster import Cluster, Object
from scheduler_k3s.tools.release import Release

Kind = tuple[str, str]
"""API version and kind."""


def prepare(cluster: Cluster, newest: Release | None, wanted: Sequence[Object]) -> None:
    """Before an upgrade to the `wanted` objects, of what the last manifests hold.

    helm would take away a replica count that the last manifest has and the new one leaves to an autoscaler, which
    leaves one replica. And it fails over objects whose kind the cluster does not know any more, as when KEDA,
    cert-manager or Traefik was removed. `newest` is the last revision as it was read before.
    """
    if newest is None:
        return
    scaled = {
        item["metadata"]["name"]
        for item in wanted
        if item["kind"] == "Deployment" and "replicas" not in item["spec"]
    }
    gone = unknown(cluster, newest)
    if not scaled and not gone:
        return
    found = [release.newest(cluster, newest.namespace, newest.name, status) for status in ("", "deployed")]
    for revision in {item.revision: item for item in found if item is not None}.values():
        _write(cluster, revision, reduced(revision.manifest, scaled, gone))


def forget_unknown(cluster: Cluster, app: str, namespace: str) -> None:
    """Before a release is removed, over which helm fails in the same way."""
    newest = release.newest(cluster, namespace, app)
    if newest is not None and (gone := unknown(cluster, newest)):
        _write(cluster, newest, reduced(newest.manifest, set(), gone))


def unknown(cluster: Cluster, revision: Release) -> set[Kind]:
    """What of the manifest's kinds the cluster does not know. Errors: PluginError when it does not say."""
    finder = resources.Resources(cluster)
    objects = resources.manifest_objects(revision.manifest)
    return {_kind(item) for item in objects if not finder.knows(item)}


def reduced(manifest: str, scaled: set[str], gone: set[Kind]) -> str:
    """The manifest without the replica counts of the Deployments `scaled` and without objects of the kinds `gone`;
    everything else stays as it is."""
    documents = ("\n" + manifest).split("\n---")
    for number, text in enumerate(documents):
        for item in resources.manifest_objects(text):
            spec = item.get("spec") or {}
            if item["kind"] == "Deployment" and item["metadata"]["name"] in scaled and "replicas" in spec:
                rest = {key: value for key, value in spec.items() if key != "replicas"}
                documents[number] = "\n" + chart.to_json({**item, "spec": rest})
            if _kind(item) in gone:
                documents[number] = ""
    return "\n---".join(documents).removeprefix("\n")


def _kind(item: Object) -> Kind:
    return str(item["apiVersion"]), str(item["kind"])


def _write(cluster: Cluster, revision: Release, manifest: str) -> None:
    if manifest != revision.manifest:
        release.set_manifest(cluster, revision, manifest)
