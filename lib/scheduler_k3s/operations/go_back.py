"""Before dokku's own scheduler comes back: the apps that it could not deploy any more, each with what to do.

It makes labels of pods part of a Deployment's selector, which nobody can change. Where this plugin made the
Deployment, they are not in it, and its next upgrade would be refused.
"""

from collections.abc import Mapping

from scheduler_k3s import log
from scheduler_k3s.dokku import apps, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.metadata import ALL_PROCESSES, triplet
from scheduler_k3s.operations import place, target
from scheduler_k3s.operations.place import Place
from scheduler_k3s.operations.state import NAME, PART_OF
from scheduler_k3s.tools.cluster import Object, name


def tell() -> None:
    """Print one block per app. A cluster that is away is told once, and keeps nobody from going back."""
    away: set[str] = set()
    found: dict[str, list[str]] = {}
    for app in apps.all_apps():
        where = place.of(app)
        if not apps.is_ours(app) or where.kubeconfig in away or target.k3s_is_absent(where.kubeconfig):
            continue
        try:
            if lines := commands(app, where, _deployments(app, where)):
                found[app] = lines
        except PluginError as error:
            away.add(where.kubeconfig)
            log.warn(f"{error.message}\nSo it is not known which apps dokku's own scheduler could not deploy")
    if not found:
        return
    log.warn("dokku's own scheduler puts labels of pods into selectors, which nobody can change afterwards")
    log.warn("It cannot deploy these apps before their Deployments are made anew, with:")
    for lines in found.values():
        for line in lines:
            log.warn(f"    {line}")


def commands(app: str, where: Place, deployments: list[Object]) -> list[str]:
    """What makes the Deployments anew. Pods that a new one will take over go on serving."""
    labels = {key: properties.read_map(app, f"labels.{key}.pod") for key in _types(app)}
    lines = []
    for item in deployments:
        wanted = selector(app, item, labels)
        if item["spec"]["selector"].get("matchLabels") == wanted:
            continue
        kept = item["spec"]["template"]["metadata"].get("labels") or {}
        orphans = " --cascade=orphan" if wanted.items() <= kept.items() else ""
        context = f" --context {where.context}" if where.context else ""
        lines.append(
            f"kubectl --kubeconfig {where.kubeconfig}{context} --namespace {where.namespace} "
            f"delete deployment {item['metadata']['name']}{orphans}"
        )
    return [*lines, f"dokku ps:rebuild {app}"] if lines else []


def selector(app: str, deployment: Object, labels: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """As dokku's own scheduler makes it; `labels` are the user's for pods by process type."""
    kind = (deployment["metadata"].get("labels") or {}).get(NAME, "")
    return {**triplet(app, kind), **labels.get(ALL_PROCESSES, {}), **labels.get(kind, {})}


def _types(app: str) -> list[str]:
    found = [file for file in properties.names(app) if file.startswith("labels.") and file.endswith(".pod")]
    return [file.removeprefix("labels.").removesuffix(".pod") for file in found]


def _deployments(app: str, where: Place) -> list[Object]:
    path = f"/apis/apps/v1/namespaces/{name(where.namespace)}/deployments"
    return where.cluster(attempts=1, timeout=5.0).list(path, labels=f"{PART_OF}={app}")
