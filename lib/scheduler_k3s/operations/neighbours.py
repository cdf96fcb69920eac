"""Other apps of the namespace whose objects would have the names of this one's."""

from scheduler_k3s import names
from scheduler_k3s.app import App
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations.state import NAME, PART_OF, State
from scheduler_k3s.tools.cluster import Cluster, name


def check(cluster: Cluster, model: App, before: State) -> None:
    """Only a process that is new here can meet another app's: for the others nothing is asked.

    Errors: PluginError naming both apps and the way out.
    """
    own = {item["metadata"]["name"] for item in before.deployments}
    for process in model.processes:
        wanted = f"{model.name}-{process.type}"
        if wanted in own or not before.namespace_exists:
            continue
        path = f"/apis/apps/v1/namespaces/{name(model.namespace)}/deployments/{name(wanted)}"
        labels = ((cluster.find(path) or {}).get("metadata") or {}).get("labels") or {}
        others = {labels.get(PART_OF, ""): (labels.get(NAME, ""),)}
        if found := names.ambiguous(model.name, process.type, others):
            raise PluginError(found[1])
