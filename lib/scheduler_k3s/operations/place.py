"""Where an app's objects are: what its last deploy noted on this host, else where its next one would go."""

import json
import os
from typing import NamedTuple

from scheduler_k3s import log
from scheduler_k3s.dokku import host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import target
from scheduler_k3s.tools.cluster import Cluster

_QUICK = 5.0


class Place(NamedTuple):
    namespace: str
    kubeconfig: str
    context: str

    def cluster(self, attempts: int = target.ATTEMPTS, timeout: float = target.TIMEOUT) -> Cluster:
        """Errors: PluginError when the kubeconfig cannot be used."""
        return Cluster.open(self.kubeconfig, self.context, timeout, attempts)


def of(app: str) -> Place:
    """The properties may have changed since the deploy; what is to be stopped or removed is where it went."""
    computed = Place(target.namespace(app), target.kubeconfig_path(), target.kube_context())
    return read(note(app)) or computed


def is_elsewhere(old: Place, here: Place, cluster: Cluster) -> bool:
    """Whether `old` is another namespace or cluster than `here`, which `cluster` is. A kubeconfig can have moved, or
    be another user's of the same cluster: clusters are told apart by what is in them.

    When the old one cannot be asked, the namespace alone decides: an app is never taken out of where it is.
    """
    if (old.kubeconfig, old.context) == (here.kubeconfig, here.context):
        return old.namespace != here.namespace
    try:
        there = old.cluster(attempts=1, timeout=_QUICK)
        return identity(there) != identity(cluster) or old.namespace != here.namespace
    except PluginError as error:
        log.debug(f"{old.kubeconfig} cannot be asked which cluster it is for: {error.message}")
        return old.namespace != here.namespace


def identity(cluster: Cluster) -> str:
    """What tells a cluster from all others, whatever its address. Errors: PluginError."""
    return str(cluster.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])


def note(app: str) -> str:
    """The file that a successful deploy leaves."""
    return f"{host.data(app)}/deployed.json"


def read(path: str) -> Place | None:
    """None for a file that is not there or damaged."""
    if not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
        return Place(known["namespace"], known["kubeconfig-path"], known["kube-context"])
    except (OSError, ValueError, KeyError, TypeError):
        log.debug(f"{path} is damaged")
        return None
