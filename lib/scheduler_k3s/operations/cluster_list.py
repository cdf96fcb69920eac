"""`scheduler-k3s:cluster:list`: the nodes of the cluster, of any cluster."""

from scheduler_k3s import nodes, reports
from scheduler_k3s.errors import PluginError
from scheduler_k3s.nodes import Node
from scheduler_k3s.operations import target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scheduler_k3s.tools.cluster import Cluster


def show(layout: str) -> None:
    """Errors: PluginError."""
    reports.check_format(layout)
    cluster = available("cannot list cluster nodes")
    try:
        found = read(cluster)
    except PluginError as error:
        raise PluginError(f"Unable to list nodes: {error.message}") from None
    if layout == "json":
        reports.as_json([_object(node) for node in found])
    else:
        rows = [(node.name, str(node.is_ready).lower(), ",".join(node.roles), node.version) for node in found]
        reports.table(("name", "ready", "roles", "version"), rows)


def require_k3s(consequence: str) -> None:
    """Nodes come to and go from the cluster that this host looks after alone. Errors: PluginError."""
    from scheduler_k3s.tools import k3s

    path = target.kubeconfig_path()
    why = k3s.missing(path)
    if path != target.DEFAULT_KUBECONFIG:
        why = f"kubeconfig-path is {path}, a cluster that this host does not look after"
    if why:
        raise PluginError(f"k3s not installed, {consequence}: {why}")


def available(consequence: str = "") -> "Cluster":
    """The configured cluster, which has answered. Errors: PluginError with what cannot be done without it."""
    cluster = target.cluster()
    try:
        cluster.get("/version")
    except PluginError as error:
        what = f"kubernetes api not available{', ' if consequence else ''}{consequence}"
        raise PluginError(f"{what}: {error.message}") from None
    return cluster


def read(cluster: "Cluster") -> list[Node]:
    """All nodes, by name."""
    return sorted(map(Node, cluster.list(nodes.PATH)), key=lambda node: node.name)


def _object(node: Node) -> dict[str, object]:
    return {
        "Name": node.name,
        "Roles": node.roles,
        "Ready": node.is_ready,
        "RemoteHost": node.remote_host,
        "Version": node.version,
    }
