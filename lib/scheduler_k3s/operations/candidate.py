"""The host that is to join, beside what the cluster has already: is it a node, whose, and what will it be told."""

import os
from collections.abc import Sequence

from scheduler_k3s import k3s_config, remote_host, settings
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.joining import Host
from scheduler_k3s.nodes import Node
from scheduler_k3s.operations import server_address
from scheduler_k3s.remote_host import RemoteHost
from scheduler_k3s.secret import Secret


def known(host: Host, place: RemoteHost, found: Sequence[Node], role: str, authority: str) -> Node | None:
    """The node that the host is in the cluster with this CA's digest.

    Errors: PluginError when it must not be touched, or another one stands for it.
    """
    name = host.node if host.authority == authority else ""
    for node in found:
        if node.name != name and _place(node) == place:
            raise PluginError(
                f"{node.name} was joined from {node.remote_host} and is still in the cluster, but the host is not "
                f"that node any more. Remove it first: dokku scheduler-k3s:cluster:remove {node.name} --force"
            )
    here = next((node for node in found if node.name == name), None)
    if here is None:
        return None
    own = {address for each in server_address.interfaces().values() for address in each}
    if not here.remote_host and here.addresses & own:
        raise PluginError(f"{place.host} is this host itself, node {here.name}")
    if here.is_server != (role == "server"):
        is_role = "server" if here.is_server else "worker"
        raise PluginError(
            f"{place.host} is in this cluster as a {is_role}, {here.name}. To make it a {role}, remove it first: "
            f"dokku scheduler-k3s:cluster:remove {here.name}"
        )
    return here


def _place(node: Node) -> RemoteHost | None:
    """How its host is reached; None for a node that was not joined by dokku."""
    try:
        return remote_host.parse(node.remote_host, os.environ.get("USER", ""))
    except PluginError:
        return None


def check_ready(node: Node) -> None:
    if not node.is_ready:
        raise PluginError(
            f"{node.name} is in this cluster already, and not Ready: {node.reason}. Its k3s was not set up by this "
            f"command: see there what it says, sudo journalctl --unit 'k3s*' --lines 30"
        )


def node(host: Host, name: str, tainted: bool, kubelet_args: Sequence[str]) -> k3s_config.Node:
    """Its address is the one that reaches the server; flannel is told the interface only where one was chosen."""
    interface = host.interface if properties.read(settings.GLOBAL, "network-interface") else ""
    return k3s_config.Node(name, host.source, interface, tainted, kubelet_args)


def config(
    authority: str, here: k3s_config.Node, place: RemoteHost, server: str, role: str
) -> k3s_config.Config:
    """What k3s is to read there. `authority` is the cluster's CA, `server` the address of a server."""
    token = Secret(settings.value(settings.GLOBAL, "token"))
    agent_token = Secret(properties.read(settings.GLOBAL, "agent-token"))
    url = k3s_config.server_url(server)
    if role == "server":
        full = k3s_config.join_token(authority, token)
        return k3s_config.joining_server(here, url, full, agent_token, [place.host])
    if agent_token:
        return k3s_config.agent(here, url, k3s_config.join_token(authority, agent_token, "node"))
    return k3s_config.agent(here, url, k3s_config.join_token(authority, token))
