"""What the cluster holds of an app before a deploy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler_k3s.manifests.cron_job import ID, SUFFIX
from scheduler_k3s.manifests.ingress import METHOD
from scheduler_k3s.manifests.secret import config_name, pull_secret_name
from scheduler_k3s.tools import release, resources
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name
from scheduler_k3s.tools.release import Release
from scheduler_k3s.tools.revisions import revisions_of

PART_OF = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"
_SLEEP_ACTION = (1, 30)
_INGRESSES = "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"


@dataclass(frozen=True)
class State:
    """`newest` is the newest revision of the app's release, of any status; `deployed` says whether any
    revision is; `auxiliary` holds the newest revision of the config and pull-secret releases."""

    namespace_exists: bool
    version: tuple[int, int]
    newest: Release | None = None
    deployed: bool = False
    auxiliary: Mapping[str, Release] = field(default_factory=dict)
    deployments: tuple[Object, ...] = ()
    cron_jobs: tuple[Object, ...] = ()

    @property
    def knows_sleep(self) -> bool:
        """Whether the server takes the built-in sleep as preStop hook (Kubernetes 1.30)."""
        return self.version >= _SLEEP_ACTION

    def cron_suffixes(self) -> dict[str, str]:
        """What the names of the live CronJobs end in, by dokku's task id."""
        annotated = [item["metadata"].get("annotations") or {} for item in self.cron_jobs]
        return {known[ID]: known[SUFFIX] for known in annotated if known.get(ID) and known.get(SUFFIX)}

    def leaving(self) -> list[str]:
        """Deployments that are being deleted, with their pods: helm would take them for living ones."""
        return [
            item["metadata"]["name"] for item in self.deployments if item["metadata"].get("deletionTimestamp")
        ]

    def selectors(self, app: str) -> dict[str, dict[str, str]]:
        """The selectors of the live Deployments by process type; Kubernetes does not let them change."""
        return {
            str(item["metadata"]["name"]).removeprefix(f"{app}-"): dict(
                item["spec"]["selector"].get("matchLabels") or {}
            )
            for item in self.deployments
        }


def read(cluster: Cluster, app: str, namespace: str) -> State:
    version = _version(cluster.get("/version"))
    if cluster.find(f"/api/v1/namespaces/{name(namespace)}") is None:
        return State(namespace_exists=False, version=version)
    newest, deployed, auxiliary = None, False, {}
    for item in (app, config_name(app), pull_secret_name(app)):
        revisions = revisions_of(cluster, namespace, item)
        found = release.fetch(cluster, namespace, revisions[-1]) if revisions else None
        if item == app:
            newest = found
            deployed = any(entry["metadata"]["labels"].get("status") == "deployed" for entry in revisions)
        elif found:
            auxiliary[item] = found
    deployments = cluster.list(
        f"/apis/apps/v1/namespaces/{name(namespace)}/deployments", labels=f"{PART_OF}={app}"
    )
    cron_jobs = cluster.list(
        f"/apis/batch/v1/namespaces/{name(namespace)}/cronjobs",
        labels=f"{PART_OF}={app}",
        metadata_only=True,
    )
    return State(True, version, newest, deployed, auxiliary, tuple(deployments), tuple(cron_jobs))


def ingress_path(item: Object) -> str:
    metadata = item["metadata"]
    return f"{_INGRESSES.format(name(metadata['namespace']))}/{name(metadata['name'])}"


def legacy_ingresses(cluster: Cluster, app: str, namespace: str) -> list[Object]:
    """Ingresses of the app's release from before there was one per domain."""
    found = cluster.list(_INGRESSES.format(name(namespace)), labels=f"app.kubernetes.io/instance={app}-web")

    def legacy(item: Object) -> bool:
        annotations = item["metadata"].get("annotations") or {}
        return annotations.get(METHOD) != "domains" and annotations.get(resources.OWNER) == app

    return [item for item in found if legacy(item)]


def ensure_namespace(cluster: Cluster, namespace: str) -> None:
    """Create it with dokku's mark; one that exists is left as it is."""
    mark = {"dokku.com/managed": "true"}
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": namespace, "labels": mark, "annotations": mark},
    }
    try:
        cluster.create("/api/v1/namespaces", body)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


def _version(answer: Object) -> tuple[int, int]:
    """Kubernetes' version; vendors add a sign to the minor one (`27+`)."""
    minor = "".join(letter for letter in str(answer.get("minor")) if letter.isdigit())
    return int(answer.get("major") or 0), int(minor or 0)
