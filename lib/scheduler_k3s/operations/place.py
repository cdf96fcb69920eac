"""Where an app's objects are: what its last deploy noted on this host, else where its next one would go."""

import json
import os
from typing import NamedTuple

from scheduler_k3s import log
from scheduler_k3s.dokku import host
from scheduler_k3s.operations import target
from scheduler_k3s.tools.cluster import Cluster


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
