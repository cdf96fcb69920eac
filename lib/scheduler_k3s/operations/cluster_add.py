"""`scheduler-k3s:cluster:add`: join a host to the cluster over ssh.

Everything is checked before anything changes, here and there. A host that is half joined, after whatever ended an
earlier run, is taken up where it is: every step may be repeated.
"""

import contextlib
import functools
import os
import secrets
import shlex
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scheduler_k3s import joining, k3s_config, log, nodes, profiles, remote_host, settings
from scheduler_k3s.errors import PluginError
from scheduler_k3s.joining import UNINSTALLERS, UNITS
from scheduler_k3s.operations import (
    candidate,
    cluster_list,
    join,
    lock,
    node_wait,
    server_address,
    signals,
)
from scheduler_k3s.tools import ssh
from scheduler_k3s.tools.cluster import Cluster, name

_SUFFIX_BYTES = 5
_LOST = (
    "Unable to find node after joining cluster, node will not be annotated/labeled appropriately access registry "
    "secrets"
)


class Wish(NamedTuple):
    """What the user typed, all of it in `words`. `role` is empty when it was not given: then a profile's counts."""

    url: str
    role: str = ""
    profile: str = ""
    server_ip: str = ""
    allow_unknown_hosts: bool = False
    taint_scheduling: bool = False
    kubelet_args: Sequence[str] = ()
    words: Sequence[str] = ()


def add(wish: Wish) -> None:
    """Errors: PluginError; after the installation has begun with the commands to look further, go on, or undo it."""
    with signals.cancellable("Joining the host has been cancelled"):
        cluster_list.require_k3s("cannot add node to cluster")
        cluster = cluster_list.available("cannot add node to cluster")
        wish = settled(wish)
        place = remote_host.parse(wish.url, os.environ.get("USER", ""))
        if wish.server_ip:
            remote_host.check_server(wish.server_ip)
        server = wish.server_ip or server_address.find().address
        with lock.cluster_lock():
            log.step(f"Joining {wish.url} to k3s cluster as {wish.role}")
            with ssh.connected(place, wish.allow_unknown_hosts) as remote:
                _add(cluster, remote, wish, server)
        log.detail_quiet("Done")


def settled(wish: Wish) -> Wish:
    """The wish with its profile's settings below it. Errors: PluginError for what does not fit together."""
    profile = profiles.read(wish.profile) if wish.profile else profiles.Profile("", "")
    found = wish._replace(
        role=wish.role or profile.role or "worker",
        allow_unknown_hosts=wish.allow_unknown_hosts or profile.allow_unknown_hosts,
        taint_scheduling=wish.taint_scheduling or profile.taint_scheduling,
        kubelet_args=wish.kubelet_args or profile.kubelet_args,
    )
    profiles.check_role(found.role)
    if not settings.value(settings.GLOBAL, "token"):
        raise PluginError(
            "Missing k3s token. It is in /var/lib/rancher/k3s/server/token of this host, after the last colon; "
            "set it with: dokku scheduler-k3s:set --global token TOKEN"
        )
    if found.taint_scheduling and found.role == "worker":
        raise PluginError("Taint scheduling can only be used on the server role")
    profiles.check_kubelet_args(found.kubelet_args)
    settings.checked(settings.GLOBAL, "deploy-timeout")
    return found


def _add(cluster: Cluster, remote: ssh.Remote, wish: Wish, server: str) -> None:
    place = remote.place
    host = joining.read(remote.script(joining.SCRIPT, server))
    authority = cluster.connection.authority
    found = cluster_list.read(cluster)
    digest = k3s_config.digest(authority)
    known = candidate.known(host, place, found, wish.role, digest)
    joining.check(host, place.host, wish.role, digest)
    if warning := joining.clock_warning(host, place.host, time.time()):
        log.warn(warning)
    if known is not None and (known.is_ready or not host.is_configured_by_us):
        candidate.check_ready(known)
        log.detail(f"{place.host} is in this cluster already, as {known.name}: k3s there stays as it is")
        _mark(cluster, known.name, wish)
        return
    node = host.node if host.is_configured_by_us else ""
    node = node or k3s_config.node_name(place.host, secrets.token_hex(_SUFFIX_BYTES))
    here = candidate.node(host, node, wish.taint_scheduling, wish.kubelet_args)
    config = candidate.config(authority, here, place, server, wish.role)
    join.prepare(remote)
    with join.fetched(remote, nodes.oldest_version(found), host.machine) as fetched:
        join.check_server(remote, server)
        log.headline_quiet(f"Adding {node} k3s cluster")
        with _resumable(remote, wish):
            join.install(remote, fetched, wish.role, config)
            join.start(remote, wish.role)
    with _resumable(remote, wish):
        log.headline_quiet("Waiting for node to exist")
        said = functools.partial(join.last_words, remote, wish.role)
        node_wait.ready(lambda: cluster, node, _LOST, node_wait.patience(), said)
        _mark(cluster, node, wish)


def _mark(cluster: Cluster, node: str, wish: Wish) -> None:
    """The labels of its role and profile, and how its host is reached."""
    labels = dict([k3s_config.LOAD_BALANCER if wish.role == "server" else k3s_config.WORKER])
    if wish.profile:
        labels[nodes.PROFILE] = wish.profile
    for key, value in labels.items():
        log.headline_quiet(f"Labeling node {key}={value}")
    log.headline_quiet("Annotating node with connection information")
    metadata = {"labels": labels, "annotations": {nodes.REMOTE_HOST: wish.url}}
    cluster.merge(f"{nodes.PATH}/{name(node)}", {"metadata": metadata})


@contextlib.contextmanager
def _resumable(remote: ssh.Remote, wish: Wish) -> Iterator[None]:
    """From here on the host has changed: an error says how to look further, how to go on, and how to go back."""
    try:
        yield
    except PluginError as error:
        unit = UNITS[wish.role]
        repeat = shlex.join(["dokku", "scheduler-k3s:cluster:add", *wish.words])
        raise PluginError(
            f"{error.message}\n{remote.place.host} is not joined completely. What is done is kept. "
            f"To go on, repeat: {repeat}\n"
            f"To see what k3s says there: {remote.by_hand('journalctl', '--unit', unit, '--lines', '50')}\n"
            f"To undo it: {remote.by_hand(UNINSTALLERS[unit])}",
            error.exit_code,
        ) from None
