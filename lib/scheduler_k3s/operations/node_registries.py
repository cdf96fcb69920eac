"""Registry logins on the nodes themselves, for `node-registries`: written to every node, read by k3s when it starts."""

import os
from collections.abc import Callable

from scheduler_k3s import log, registries, remote_host
from scheduler_k3s.dokku import host, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.joining import UNITS
from scheduler_k3s.nodes import Node
from scheduler_k3s.operations import cluster_list, helper_programs
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import private, ssh
from scheduler_k3s.tools.cluster import Cluster
from scheduler_k3s.tools.command import CommandError, run

_READ = '[ ! -f "$1" ] || cat "$1"'


def update(cluster: Cluster, server: str, user: str, password: Secret) -> None:
    """Bring a login to this host and to every node that dokku reaches. A node that fails is told, the others go on."""
    private.load_packages()
    log.step_quiet("Updating k3s configuration")

    def change(text: str) -> str:
        return registries.merged(text, server, user, password)

    changed: dict[str, str] = {}

    def work(where: str, unit: str, step: Callable[[], bool]) -> None:
        try:
            if step():
                changed[where] = unit
        except PluginError as error:
            log.warn(f"Error copying registry to node: {where}: {error.message}")

    steps = [lambda: work("this host", UNITS["server"], lambda: _update_here(change))]
    for node in cluster_list.read(cluster):
        if node.remote_host:
            log.step_quiet(f"Updating k3s registry configuration on {node.remote_host}")
            steps.append(lambda node=node: work(node.name, _unit(node), lambda: _update_there(node, change)))  # type: ignore[misc]
    triggers.together(steps)
    for where, unit in sorted(changed.items()):
        log.detail(f"k3s reads it when it starts. On {where}, when it suits: sudo systemctl restart {unit}")


def here() -> str:
    """This host's file. Errors: PluginError without the helper that reads it."""
    done = _helper("read")
    return done.decode("utf-8", "replace")


def _update_here(change: Callable[[str], str]) -> bool:
    before = here()
    after = change(before)
    if after == before:
        return False
    _helper("write", after.encode())
    return True


def _update_there(node: Node, change: Callable[[str], str]) -> bool:
    place = remote_host.parse(node.remote_host, os.environ.get("USER", ""))
    with ssh.connected(place) as remote:
        before = remote.script(_READ, registries.PATH)
        after = change(before)
        if after == before:
            return False
        remote.put(registries.PATH, after.encode())
        return True


def _helper(word: str, stdin: bytes = b"") -> bytes:
    path = helper_programs.REGISTRIES
    if not os.path.isfile(path):
        source = os.path.realpath(f"{os.path.dirname(__file__)}/../../helpers/{os.path.basename(path)}")
        rule = f"{host.system_user()} ALL=(root) NOPASSWD: {path} read, {path} write"
        raise PluginError(
            f"{path} is missing. Install it, as root, with: install -m 0755 {source} {path} && "
            f"echo '{rule}' >{helper_programs.SUDOERS}"
        )
    words = [path, word] if os.geteuid() == 0 else ["sudo", "-n", path, word]
    try:
        return run(words, stdin=stdin).stdout
    except CommandError as error:
        raise PluginError(f"Unable to {word} {registries.PATH}: {error.output or error.message}") from None


def _unit(node: Node) -> str:
    """Of workers that the earlier scheduler joined, the unit is a server's: systemctl says so if it is wrong."""
    return UNITS["server" if node.is_server else "worker"]
