"""This host as the first server of a cluster: k3s comes, its node is waited for and labelled. Each may be repeated."""

import os

from scheduler_k3s import k3s_config, log, settings
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import node_wait, server_identity, target, work_directory
from scheduler_k3s.operations.cluster_release import failing
from scheduler_k3s.operations.preflight import Wanted
from scheduler_k3s.operations.server_address import Found
from scheduler_k3s.operations.server_identity import Identity
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import installer, k3s, private
from scheduler_k3s.tools.cluster import Cluster, name
from scheduler_k3s.tools.command import CommandError

GLOBAL = properties.GLOBAL
_LOST = (
    "Unable to find node after initializing cluster, "
    "node will not be annotated/labeled appropriately access registry secrets"
)
_LOOK = "To see what k3s says: journalctl --unit k3s --lines 50"


class FirstServer:
    """`is_resumed`: an earlier run got somewhere here. The others know who they are from `install`."""

    def __init__(self, wanted: Wanted, address: Found, is_resumed: bool) -> None:
        self.wanted = wanted
        self.address = address
        self.is_resumed = is_resumed
        self.identity = Identity("", Secret(""), Secret(""))

    def install(self) -> None:
        self.identity = server_identity.stored_or_new(self.address.address, self.is_resumed)
        _store_charts(self.wanted)
        config = self._config()
        if self.is_resumed and _serves(config):
            log.detail_quiet(f"k3s {k3s.version()} runs already")
            return
        # on a file system where programs may run, and where only root can put some
        with work_directory.below(private.prefix()) as directory:
            log.headline_quiet("Downloading k3s installer")
            fetched = installer.fetch(directory)
            k3s.configure(config)
            log.headline_quiet("Running k3s installer")
            hidden = (self.identity.token, self.identity.agent_token)
            try:
                k3s.install(fetched, hidden, is_again=self.is_resumed)
            except CommandError as error:
                raise PluginError(
                    f"Unable to call k3s installer command: {error.message}\n{k3s.last_words(hidden)}".rstrip()
                ) from None

    def _config(self) -> k3s_config.Config:
        """An address that is no interface's is only a name of the server; k3s finds its own then."""
        (address, interface), (node, token, agent_token), wanted = self.address, self.identity, self.wanted
        own = k3s_config.Node(
            node, address if interface else "", interface, wanted.tainted, wanted.kubelet_args
        )
        return k3s_config.first_server(own, token, agent_token, [address], host.system_group())

    def wait(self) -> None:
        log.headline_quiet("Waiting for node to exist")
        try:
            cluster = node_wait.ready(_cluster, self.identity.node, _LOST, node_wait.patience())
        except PluginError as error:
            raise PluginError(f"{error.message}\n{_LOOK}", error.exit_code) from None
        share_kubeconfig()
        others = [node["metadata"]["name"] for node in cluster.list("/api/v1/nodes", metadata_only=True)]
        others.remove(self.identity.node)
        if others:
            log.warn(
                f"The cluster has nodes of earlier days. Those that are gone: kubectl delete node {' '.join(others)}"
            )

    def label(self) -> None:
        key, value = k3s_config.LOAD_BALANCER
        log.headline_quiet(f"Labeling node {key}={value}")
        with failing("Unable to patch node"):
            target.cluster().merge(
                f"/api/v1/nodes/{name(self.identity.node)}", {"metadata": {"labels": {key: value}}}
            )


def share_kubeconfig() -> None:
    """dokku has to read it, and nobody else. k3s does so itself from 1.30 on."""
    path = target.kubeconfig_path()
    info, group = os.stat(path), host.owner()[1]
    if (info.st_gid, info.st_mode & 0o777) != (group, 0o640):
        os.chown(path, 0, group)
        os.chmod(path, 0o640)
        log.warn(
            f"k3s {k3s.version()} does not know write-kubeconfig-group. After each start of it: "
            f"chgrp {host.system_group()} {path} && chmod 640 {path}"
        )


def _store_charts(wanted: Wanted) -> None:
    """Which ones the cluster is to have, for now and for `ensure-charts`."""
    log.headline_quiet(f"Setting ingress-class to {wanted.ingress_class}")
    properties.write(GLOBAL, "ingress-class", wanted.ingress_class)
    if wanted.without is None:
        return
    disabled = ",".join(wanted.without)
    log.headline_quiet(f"Setting charts-disabled to {disabled}")
    if disabled:
        properties.write(GLOBAL, "charts-disabled", disabled)
    else:
        properties.delete(GLOBAL, "charts-disabled")


def _serves(config: k3s_config.Config) -> bool:
    """The k3s that an earlier run started is up, in the version and with the settings wanted now."""
    version = settings.value(GLOBAL, "k3s-version")
    if k3s.missing(target.kubeconfig_path()) or (version and version != k3s.version()):
        return False
    try:
        target.cluster(attempts=1).get("/version")
    except PluginError:
        return False
    return not k3s.configure(config)


def _cluster() -> Cluster:
    return target.cluster(attempts=1, timeout=5.0)
