"""An app that goes to another namespace or cluster: the new one serves before the old one goes.

Two things must not be twice: a host's Ingress (ingress-nginx refuses the second, also across namespaces) and cron
tasks. So the new release begins without them; once its pods serve, the old ones are taken away and the new ones
made; then the old release goes.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scheduler_k3s import log
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import adopt, destroy, left_behind, place, target
from scheduler_k3s.operations.left_behind import Remains
from scheduler_k3s.operations.place import Place
from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.tools import release, resources
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

_HELD_BACK = ("Ingress", "CronJob")
_QUICK = 5.0
_ISSUED = "cert-manager.io/certificate-name"


class Origin(NamedTuple):
    """A place that the app is to leave. `routes` are its Ingresses there."""

    place: Place
    cluster: Cluster
    routes: tuple[Object, ...] = ()


def origins(cluster: Cluster, app: str, namespace: str, repository: str) -> list[Origin]:
    """Where the app still is, other than in `namespace` of the cluster. `repository` is that of its images.

    An app that was never deployed by this plugin may be anywhere: it is looked for by its release.
    """
    noted = place.read(place.note(app))
    here = Place(namespace, target.kubeconfig_path(), target.kube_context())
    found = [noted] if noted and place.is_elsewhere(noted, here, cluster) else []
    if adopt.is_adopted(app):
        found += [old for old in _elsewhere(cluster, app, here, repository) if old not in found]
    known = [_origin(app, old, here, cluster) for old in found]
    return [origin for origin in known if origin is not None]


def announced(app: str, namespace: str) -> list[str]:
    """What a preview has to say: the objects that it shows are new ones."""
    noted = place.read(place.note(app))
    if noted is None or noted.namespace == namespace:
        return []
    return [f"The next deploy moves {app} from namespace {noted.namespace} to {namespace}"]


def first(objects: Sequence[Object]) -> list[Object]:
    return [item for item in objects if item["kind"] not in _HELD_BACK]


def swap(cluster: Cluster, app: str, origins: Sequence[Origin], wanted: Sequence[Object]) -> None:
    """Take the routes from the old release to the new one, host by host. Cron tasks of the old one start no more.

    helm takes the new Ingresses over with the upgrade that follows.
    """
    for origin in origins:
        _suspend(origin, app)
    ingresses = [item for item in wanted if item["kind"] == "Ingress"]
    finder = resources.Resources(cluster)
    for item in ingresses:
        hosts = _hosts(item)
        leaving = [(origin, old) for origin in origins for old in origin.routes if hosts & _hosts(old)]
        for origin, old in leaving:
            origin.cluster.delete(resources.Resources(origin.cluster).path(old))
        try:
            cluster.create(finder.collection(item), _owned(item, app))
        except ApiError as error:
            if error.reason == "AlreadyExists":
                continue
            for origin, old in leaving:
                origin.cluster.create(resources.Resources(origin.cluster).collection(old), _again(old))
            raise


@contextlib.contextmanager
def tried(app: str, here: Place, origins: Sequence[Origin]) -> Iterator[None]:
    """Until the routes change over, a move that fails leaves the app where it was; what it made is removed later."""
    try:
        yield
    except PluginError as error:
        left_behind.remember(Remains(app, here))
        error.message += (
            f"\n{app} stays in namespace {origins[0].place.namespace}. What this deploy made in namespace "
            f"{here.namespace} is removed by the next one"
        )
        raise


def finish(app: str, origins: Sequence[Origin], inherited: int) -> None:
    """Remove the app from where it was. What cannot be removed now is, by a later command."""
    for origin in origins:
        left_behind.remember(Remains(app, origin.place))
    for origin in origins:
        try:
            destroy.remove_held(Remains(app, origin.place), origin.cluster, inherited)
        except PluginError as error:
            log.warn(
                f"{error.message}\nThe releases of {app} are still in namespace {origin.place.namespace} (kubeconfig "
                f"{origin.place.kubeconfig}). The next deploy of an app of this host removes them"
            )
        else:
            left_behind.forget(Remains(app, origin.place))
            log.detail(f"Moved {app} from namespace {origin.place.namespace}: its releases there are removed")


def bring_issued(cluster: Cluster, app: str, namespace: str, origins: Sequence[Origin]) -> None:
    """Copy the certificate that cert-manager got for the app, which takes it for its own: asking for another one
    takes time, and letsencrypt counts."""
    secret = name(f"tls-{app}-web")
    path = f"/api/v1/namespaces/{name(namespace)}/secrets"
    for origin in origins:
        old = origin.cluster.find(f"/api/v1/namespaces/{name(origin.place.namespace)}/secrets/{secret}")
        if old is None or _ISSUED not in (old["metadata"].get("annotations") or {}):
            continue
        if cluster.find(f"{path}/{secret}") is None:
            copy = _again(old)
            copy["metadata"]["namespace"] = namespace
            cluster.create(path, copy)


def _elsewhere(cluster: Cluster, app: str, here: Place, repository: str) -> list[Place]:
    """Namespaces with a release of the app that an earlier plugin of this host left. Other hosts may use the
    cluster, with apps of that name: theirs have images of their own."""
    if properties.read(app, "deployed", plugin="common") != "true":
        return []
    try:
        found = cluster.list("/api/v1/secrets", labels=f"owner=helm,name={app}", metadata_only=True)
    except ApiError:
        return []
    places = []
    for namespace in sorted({item["metadata"]["namespace"] for item in found} - {here.namespace}):
        newest = release.newest(cluster, namespace, app)
        if newest is None or not newest.is_dokkus:
            continue
        image = newest.value("global.image.name")
        if image.rpartition(":")[0] == repository:
            places.append(here._replace(namespace=namespace))
        else:
            log.warn(
                f"Namespace {namespace} also has a release {app}, of image {image}: it is left alone. "
                f"Should it be this app's, remove it with: helm uninstall {app} --namespace {namespace}"
            )
    return places


def _origin(app: str, old: Place, here: Place, cluster: Cluster) -> Origin | None:
    """None for a cluster that cannot be asked: what is there is removed later, if it is another one."""
    same = (old.kubeconfig, old.context) == (here.kubeconfig, here.context)
    path = f"/apis/networking.k8s.io/v1/namespaces/{name(old.namespace)}/ingresses"
    try:
        there = cluster.copy() if same else old.cluster(attempts=2, timeout=_QUICK)
        items = there.list(path, labels=f"{PART_OF}={app}")
    except PluginError as error:
        left_behind.remember(Remains(app, old))
        log.warn(
            f"{error.message}\n{app} may still run there, in namespace {old.namespace}. A later deploy or destroy "
            "removes it, once that cluster answers"
        )
        return None
    kept = [{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", **item} for item in items]
    return Origin(old, there, tuple(kept))


def _suspend(origin: Origin, app: str) -> None:
    base = f"/apis/batch/v1/namespaces/{name(origin.place.namespace)}/cronjobs"
    for item in origin.cluster.list(base, labels=f"{PART_OF}={app}", metadata_only=True):
        origin.cluster.merge(f"{base}/{name(item['metadata']['name'])}", {"spec": {"suspend": True}})


def _hosts(ingress: Object) -> set[str]:
    return {str(rule.get("host") or "") for rule in ingress["spec"].get("rules") or []}


def _owned(item: Object, app: str) -> Object:
    """With the marks by which helm knows its own."""
    metadata = item["metadata"]
    labels = {**metadata["labels"], "app.kubernetes.io/managed-by": "Helm"}
    marks = {resources.OWNER: app, "meta.helm.sh/release-namespace": metadata["namespace"]}
    annotations = {**metadata["annotations"], **marks}
    return {**item, "metadata": {**metadata, "labels": labels, "annotations": annotations}}


def _again(item: Object) -> Object:
    """The object as it can be created."""
    kept = {
        key: item["metadata"][key]
        for key in ("name", "namespace", "labels", "annotations")
        if key in item["metadata"]
    }
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": kept}
