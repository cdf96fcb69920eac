"""`scheduler-k3s:uninstall`: takes k3s off this host, also when only a part of it was installed."""

import os

from scheduler_k3s import confirmation, k3s_config, log, nodes
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.nodes import Node
from scheduler_k3s.operations import helper_programs, lock, preflight, signals, target
from scheduler_k3s.operations.cluster_release import failing
from scheduler_k3s.operations.initialize import UNFINISHED
from scheduler_k3s.operations.server_identity import NODE
from scheduler_k3s.tools import k3s, root_file

_PATIENCE = 5.0
_STAYS = "dokku's properties (the token too), Debian packages, helm, and volumes in /var/lib/longhorn"


def uninstall(is_forced: bool) -> None:
    """Errors: PluginError; what an earlier run has left can be removed by another."""
    preflight.require_root()
    with signals.cancellable("uninstall was cancelled. To go on, repeat it"), lock.cluster_lock():
        _check()
        _warn_of_nodes()
        if not is_forced:
            loss = "This command takes k3s off this host, with every app and volume in the cluster"
            confirmation.ask(loss, "k3s")
        log.step("Uninstalling k3s")
        _remove_k3s()
        log.headline_quiet("Removing k3s dependencies")
        helper_programs.remove()
        for key in (NODE, UNFINISHED):
            properties.delete(properties.GLOBAL, key)
        log.detail_quiet(f"What stays: {_STAYS}")


def _check() -> None:
    """The uninstall script alone is enough. Errors: PluginError when there is nothing of ours to uninstall."""
    path = target.kubeconfig_path()
    if path != target.DEFAULT_KUBECONFIG:
        raise PluginError(
            f"k3s not installed, cannot uninstall: kubeconfig-path is {path}, of another cluster. "
            "Unset it first: dokku scheduler-k3s:set --global kubeconfig-path"
        )
    problem = k3s.missing(path)
    if problem and not os.path.isfile(k3s.UNINSTALL) and not properties.read(properties.GLOBAL, UNFINISHED):
        raise PluginError(f"k3s not installed, cannot uninstall: {problem}")


def _remove_k3s() -> None:
    if os.path.isfile(k3s.UNINSTALL):
        with failing("Unable to call k3s uninstaller command"):
            k3s.uninstall(k3s.UNINSTALL)
    elif not k3s.missing(target.DEFAULT_KUBECONFIG):
        raise PluginError(f"Unable to call k3s uninstaller command: {k3s.UNINSTALL} does not exist")
    # what the script does not know, or an installer that never ran has left
    if root_file.read(k3s_config.PATH).startswith(k3s_config.MARK.encode()):
        root_file.remove(k3s_config.PATH)
    root_file.remove(k3s.BINARY)


def _warn_of_nodes() -> None:
    """Other hosts keep looking for the server that is about to go."""
    if not os.path.isfile(target.DEFAULT_KUBECONFIG):
        return
    own = properties.read(properties.GLOBAL, NODE)
    try:
        items = target.cluster(attempts=1, timeout=_PATIENCE).list(nodes.PATH, metadata_only=True)
    except PluginError as error:
        log.debug(f"The nodes cannot be listed: {error.message}")
        log.detail("The cluster does not answer: hosts that joined it cannot be listed")
        return
    others = [node for node in map(Node, items) if node.remote_host or (own and node.name != own)]
    if others:
        log.warn(
            f"{len(others)} other nodes stay as they are and keep looking for this server. Remove them first, with:"
        )
    for node in others:
        command = f"dokku scheduler-k3s:cluster:remove {node.name}"
        log.warn(f"  {command}" + (f"   ({node.remote_host})" if node.remote_host else ""))
