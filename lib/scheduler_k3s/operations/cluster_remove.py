"""`scheduler-k3s:cluster:remove`: take a node out of the cluster, and k3s off its host.

Its pods move first, then the node's object goes (for a server etcd forgets it too), then k3s. Whatever would lose
something is refused before anything changes, unless it is forced.
"""

import contextlib
import os
import time

from scheduler_k3s import confirmation, log, nodes, remote_host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.joining import UNINSTALLERS
from scheduler_k3s.nodes import Node
from scheduler_k3s.operations import cluster_list, drain, leaving, lock, signals
from scheduler_k3s.remote_host import RemoteHost
from scheduler_k3s.tools import ssh
from scheduler_k3s.tools.cluster import Cluster, name

_UNINSTALL_TIMEOUT = 600.0
_GONE = 120.0
_UNINSTALL = """code=3
for script in "$@"; do
    if [ -x "$script" ]; then
        "$script" || exit 1
        code=0
    fi
done
exit "$code"
"""
_NOTHING = 3


def remove(node: str, force: bool) -> None:
    """Errors: PluginError."""
    cluster_list.require_k3s("cannot remove node from cluster")
    if not force:
        confirmation.ask(f"This command will remove {node} from the cluster and uninstall k3s there", node)
    with signals.cancellable(f"Removing {node} has been cancelled"), lock.cluster_lock():
        log.step_quiet(f"Removing {node} from k3s cluster")
        cluster = cluster_list.available()
        log.detail_quiet("Getting node remote connection information")
        found = _read(cluster, node)
        log.detail_quiet("Checking if node is a remote node managed by Dokku")
        place = _place(found)
        if not force:
            _check(cluster, found)
        with contextlib.ExitStack() as stack:
            remote = _connect(stack, place, force)
            _empty(cluster, found, force)
            log.detail_quiet("Deleting node from k3s cluster")
            _delete(cluster, node)
            if remote is not None:
                _uninstall(remote)
                _delete(cluster, node)
        log.detail_quiet("Done")


def _read(cluster: Cluster, node: str) -> Node:
    if not node:
        raise PluginError("Unable to get node: node name is required")
    try:
        return Node(cluster.get(f"{nodes.PATH}/{name(node)}"))
    except PluginError as error:
        raise PluginError(
            f"Unable to get node: {error.message}. The nodes are listed by: dokku scheduler-k3s:cluster:list"
        ) from None


def _place(node: Node) -> RemoteHost:
    if not node.remote_host:
        raise PluginError(f"Node {node.name} is not a remote node managed by Dokku")
    return remote_host.parse(remote_host.without_password(node.remote_host), os.environ.get("USER", ""))


def _check(cluster: Cluster, node: Node) -> None:
    """Refuse what would lose something. Errors: PluginError."""
    if risk := nodes.quorum_risk(node, cluster_list.read(cluster)):
        raise PluginError(f"Removing {node.name} would break the cluster: {risk}. {_FORCED}")
    if not node.is_ready:
        raise PluginError(
            f"{node.name} is not Ready, so its pods cannot move in order: {node.reason}. Bring it back. {_FORCED}"
        )
    try:
        drain.check(cluster, node.name)
    except leaving.Blocked as error:
        raise PluginError(f"{error.message}. {_FORCED}") from None


_FORCED = "To remove it all the same, use --force"


def _connect(stack: contextlib.ExitStack, place: RemoteHost, force: bool) -> ssh.Remote | None:
    """None for a host that is not reached, which has to be forced. Errors: PluginError."""
    try:
        return stack.enter_context(ssh.connected(place))
    except ssh.Refused as error:
        if not force:
            raise PluginError(f"{error.message}\nTo remove the node without its host, use --force") from None
        log.warn(
            f"{error.message}\nk3s stays installed on {place.host}. When it is reached again, run there: "
            f"{_by_hand()}"
        )
        return None


def _empty(cluster: Cluster, node: Node, force: bool) -> None:
    """Move the pods off; a node that is dead has none that could be asked to go."""
    if not node.is_ready:
        log.warn(f"{node.name} is not Ready: its pods are not moved, Kubernetes makes them again elsewhere")
        return
    with drain.cordoned(cluster, node.name):
        try:
            drain.empty(cluster, node.name, force=force)
        except leaving.Blocked as error:
            if not force:
                raise PluginError(f"{error.message}. {node.name} stays in the cluster. {_FORCED}") from None
            log.warn(error.message)


def _delete(cluster: Cluster, node: str) -> None:
    """Delete the node's object and wait until it is gone: k3s takes the server out of etcd before that.

    etcd may choose another leader for that, and the API not answer for some seconds. Errors: PluginError.
    """
    path = f"{nodes.PATH}/{name(node)}"
    deadline = time.monotonic() + _GONE
    problem = ""
    while time.monotonic() < deadline:
        try:
            cluster.delete(path)
            item = cluster.find(path)
        except PluginError as error:
            problem = error.message
        else:
            if item is None:
                return
            problem = f"held by {', '.join(item['metadata'].get('finalizers') or ['nothing'])}"
        time.sleep(0.5)
    raise PluginError(f"Unable to delete node: {node} is still there after {_GONE:.0f}s: {problem}")


def _uninstall(remote: ssh.Remote) -> None:
    """Whichever script is there: the earlier scheduler set workers up as servers."""
    log.detail_quiet("Uninstalling k3s on remote host")
    words = ["sh", "-c", _UNINSTALL, "sh", *UNINSTALLERS.values()]
    try:
        remote.stream("k3s uninstall", words, _UNINSTALL_TIMEOUT)
    except PluginError as error:
        if error.message.endswith(f": {_NOTHING}"):
            log.warn(f"There is no k3s on {remote.place.host}, so none was uninstalled")
            return
        raise PluginError(
            f"{error.message}\nThe node is out of the cluster. Uninstall k3s on {remote.place.host}: {_by_hand()}"
        ) from None


def _by_hand() -> str:
    return " or ".join(f"sudo {script}" for script in sorted(UNINSTALLERS.values()))
