"""Where objects are in the Kubernetes API, and whether the API would take them."""

from collections.abc import Mapping, Sequence
from typing import Any

from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

OWNER = "meta.helm.sh/release-name"

_NAMESPACED = {
    ("v1", "Secret"): "secrets",
    ("v1", "Service"): "services",
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("apps/v1", "Deployment"): "deployments",
    ("batch/v1", "CronJob"): "cronjobs",
    ("networking.k8s.io/v1", "Ingress"): "ingresses",
}


class Refused(PluginError):
    """The API server would not take an object. `kind` and `object_name` say which."""

    def __init__(self, item: Object, message: str) -> None:
        self.kind = item["kind"]
        self.object_name = item["metadata"]["name"]
        super().__init__(f"{self.kind} {self.object_name} would be refused: {message}")


class Resources:
    """Finds the paths of objects; kinds that are not in the table above are looked up once per API group.

    `namespace` is that of objects which name none themselves, where their kind has one.
    """

    def __init__(self, cluster: Cluster, namespace: str = "default") -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._groups: dict[str, dict[str, tuple[str, bool]]] = {}

    def collection(self, item: Object) -> str:
        """The path to create the object at. Errors: PluginError when the cluster does not know its kind."""
        version, kind = str(item["apiVersion"]), str(item["kind"])
        base = _base(version)
        known = _NAMESPACED.get((version, kind))
        plural, namespaced = (known, True) if known else self._discover(version, kind)
        if not namespaced:
            return f"{base}/{plural}"
        return f"{base}/namespaces/{name(item['metadata'].get('namespace') or self.namespace)}/{plural}"

    def path(self, item: Object) -> str:
        return f"{self.collection(item)}/{name(item['metadata']['name'])}"

    def knows(self, item: Object) -> bool:
        """Whether the cluster has the object's kind. Errors: PluginError when it does not say."""
        version, kind = str(item["apiVersion"]), str(item["kind"])
        return (version, kind) in _NAMESPACED or kind in self._kinds(version)

    def _kinds(self, version: str) -> dict[str, tuple[str, bool]]:
        """The plural of each kind of an API version, and whether it has a namespace."""
        if version not in self._groups:
            found = self.cluster.find(_base(version)) or {}
            self._groups[version] = {
                entry["kind"]: (entry["name"], bool(entry["namespaced"]))
                for entry in found.get("resources") or []
                if "/" not in entry["name"]
            }
        return self._groups[version]

    def _discover(self, version: str, kind: str) -> tuple[str, bool]:
        if kind not in self._kinds(version):
            raise PluginError(
                f"The cluster does not know {kind} of {version}: its custom resource definitions are not installed. "
                "Install them with: dokku scheduler-k3s:ensure-charts"
            )
        return self._kinds(version)[kind]

    def dry_run(self, item: Object, before: Object | None, release: str) -> None:
        """Let the API server check one object, admission webhooks included, and write nothing.

        `before` is the object as the current release has it. Errors: Refused, also for an object of that name
        that does not belong to `release`.
        """
        try:
            if before is None and self._creates(item):
                return
            live = self.cluster.merge(self.path(item), merge_patch(before or {}, item), dry_run=True)
        except ApiError as error:
            if error.code == 404 and before is not None:
                self.dry_run(item, None, release)
                return
            raise Refused(item, error.detail or error.reason) from None
        annotations = live["metadata"].get("annotations") or {}
        if annotations.get(OWNER) != release:
            owner = annotations.get(OWNER)
            whose = f"belongs to the helm release {owner}" if owner else "was not made by dokku"
            raise Refused(
                item, f"an object of that name exists and {whose}. Rename the app, or remove that object"
            )

    def _creates(self, item: Object) -> bool:
        """Whether a new object would be taken; False when one of that name exists already."""
        try:
            self.cluster.create(self.collection(item), item, dry_run=True)
        except ApiError as error:
            if error.code == 409 and error.reason == "AlreadyExists":
                return False
            raise
        return True


def _base(version: str) -> str:
    return f"/api/{version}" if "/" not in version else f"/apis/{version}"


def key(item: Object) -> tuple[str, str, str, str]:
    """The identity of an object, without the version of its API group."""
    metadata = item.get("metadata") or {}
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    return group, str(item.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> Object:
    """The JSON merge patch that brings `after` and takes away what only `before` had; lists go as a whole."""
    patch: Object = {field: None for field in before if field not in after}
    for field, value in after.items():
        if isinstance(value, Mapping):
            below = before.get(field)
            patch[field] = merge_patch(below if isinstance(below, Mapping) else {}, value)
        else:
            patch[field] = value
    return patch


def manifest_objects(manifest: str) -> Sequence[Object]:
    """The objects of a release's manifest, whoever wrote it: YAML documents, ours being JSON."""
    import json

    documents = [part.strip() for part in ("\n" + manifest).split("\n---")]
    objects: list[Object] = []
    for document in documents:
        body = "\n".join(line for line in document.splitlines() if not line.startswith("#")).strip()
        if not body:
            continue
        try:
            value = json.loads(body)
        except ValueError:
            value = _yaml(document)
        if isinstance(value, dict) and value.get("kind"):
            objects.append(value)
    return objects


def _yaml(text: str) -> object:
    from scheduler_k3s.tools import private

    private.load_packages()
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        raise PluginError("Unable to read the manifest of the current release: it is not YAML") from None
