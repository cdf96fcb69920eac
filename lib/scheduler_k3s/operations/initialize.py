"""`scheduler-k3s:initialize`: makes this host the first server of a k3s cluster, ready for apps.

The steps are listed in `_Setup.steps`. Each can be done again without harm, and the property `initialize-unfinished`
is set from the first to the last: a run that ended early is repeated with the same command, and goes on where it ended.
"""

import glob
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from scheduler_k3s import k3s_config, log, settings
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import (
    cluster_settings,
    dependencies,
    helper_programs,
    lock,
    node_wait,
    preflight,
    server_identity,
    signals,
    system_charts,
    system_upgrader,
    target,
)
from scheduler_k3s.operations.cluster_release import failing
from scheduler_k3s.operations.preflight import Wanted
from scheduler_k3s.operations.server_address import Found
from scheduler_k3s.operations.server_identity import Identity
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import apt, installer, k3s, private
from scheduler_k3s.tools.cluster import Cluster, name
from scheduler_k3s.tools.command import CommandError

GLOBAL = properties.GLOBAL
UNFINISHED = "initialize-unfinished"
PACKAGES = ("ca-certificates", "curl", "open-iscsi", "nfs-common", "wireguard")
_WORK = ".initialize-"
_LOST = (
    "Unable to find node after initializing cluster, "
    "node will not be annotated/labeled appropriately access registry secrets"
)


def initialize(plugin: str, wanted: Wanted, words: Sequence[str]) -> None:
    """`plugin` is the plugin's directory; `words` are the command's, to say how to repeat it. Errors: PluginError."""
    preflight.require_root()
    with signals.cancellable("initialize was cancelled"), lock.cluster_lock():
        is_resumed = bool(properties.read(GLOBAL, UNFINISHED))
        address = preflight.check(wanted, is_resumed)
        if is_resumed:
            log.detail_quiet("Going on with the initialization that did not come to its end")
        else:
            server_identity.tell_of_token()
        log.step_quiet("Initializing k3s")
        properties.write(GLOBAL, UNFINISHED, "true")
        setup = _Setup(plugin, wanted, address, is_resumed)
        for title, action in setup.steps():
            try:
                action()
            except PluginError as error:
                command = shlex.join(["dokku", "scheduler-k3s:initialize", *words])
                raise PluginError(
                    f"{error.message}\nStopped at: {title}. What is done is kept. To go on, repeat: {command}",
                    error.exit_code,
                ) from None
        properties.delete(GLOBAL, UNFINISHED)
        _say_next(wanted)
        log.detail_quiet("Done")


class _Setup:
    def __init__(self, plugin: str, wanted: Wanted, address: Found, is_resumed: bool) -> None:
        self.plugin = plugin
        self.wanted = wanted
        self.address = address
        self.is_resumed = is_resumed
        self.identity = Identity("", Secret(""), Secret(""))

    def steps(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        return (
            ("the Debian packages", self._install_packages),
            ("the plugin's own tools", self._install_tools),
            ("k3s", self._install_k3s),
            ("the node", self._wait_for_node),
            ("system-upgrader", system_upgrader.apply),
            ("the node's label", self._label_node),
            ("the system charts", system_charts.install),
            ("the helper commands", self._install_helpers),
            ("the settings of the cluster", cluster_settings.reconcile),
        )

    def _install_packages(self) -> None:
        if self.is_resumed and apt.are_installed(PACKAGES):
            return
        log.headline_quiet("Updating apt")
        with failing("Unable to call apt-get update command"):
            apt.update_shown()
        log.headline_quiet("Installing k3s dependencies")
        with failing("Unable to call apt-get install command"):
            apt.install_shown(PACKAGES)

    def _install_tools(self) -> None:
        if dependencies.missing(self.plugin):
            log.headline_quiet("Installing helm and kubectl")
            dependencies.install(self.plugin)

    def _install_k3s(self) -> None:
        self._store_settings()
        config = self._config()
        if self.is_resumed and self._serves(config):
            log.detail_quiet(f"k3s {k3s.version()} runs already")
            return
        with _work_directory() as directory:
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

    def _store_settings(self) -> None:
        self.identity = server_identity.stored_or_new(self.address.address, self.is_resumed)
        log.headline_quiet(f"Setting ingress-class to {self.wanted.ingress_class}")
        properties.write(GLOBAL, "ingress-class", self.wanted.ingress_class)
        if self.wanted.without is not None:
            disabled = ",".join(self.wanted.without)
            log.headline_quiet(f"Setting charts-disabled to {disabled}")
            if disabled:
                properties.write(GLOBAL, "charts-disabled", disabled)
            else:
                properties.delete(GLOBAL, "charts-disabled")

    def _config(self) -> k3s_config.Config:
        """An address that is no interface's is only a name of the server; k3s finds its own then."""
        (address, interface), (node, token, agent_token), wanted = self.address, self.identity, self.wanted
        own = k3s_config.Node(
            node, address if interface else "", interface, wanted.tainted, wanted.kubelet_args
        )
        return k3s_config.first_server(own, token, agent_token, [address], host.system_group())

    def _serves(self, config: k3s_config.Config) -> bool:
        """The k3s that an earlier run started is up, in the version and with the settings wanted now."""
        version = settings.value(GLOBAL, "k3s-version")
        if k3s.missing(target.kubeconfig_path()) or (version and version != k3s.version()):
            return False
        try:
            target.cluster(attempts=1).get("/version")
        except PluginError:
            return False
        return not k3s.configure(config)

    def _wait_for_node(self) -> None:
        log.headline_quiet("Waiting for node to exist")
        cluster = node_wait.ready(_cluster, self.identity.node, _LOST)
        _share_kubeconfig()
        others = [node["metadata"]["name"] for node in cluster.list("/api/v1/nodes", metadata_only=True)]
        others.remove(self.identity.node)
        if others:
            log.warn(
                f"The cluster has nodes of earlier days. Those that are gone: kubectl delete node {' '.join(others)}"
            )

    def _label_node(self) -> None:
        key, value = k3s_config.LOAD_BALANCER
        log.headline_quiet(f"Labeling node {key}={value}")
        with failing("Unable to patch node"):
            target.cluster().merge(
                f"/api/v1/nodes/{name(self.identity.node)}", {"metadata": {"labels": {key: value}}}
            )

    def _install_helpers(self) -> None:
        log.headline_quiet("Installing helper commands")
        with failing("Unable to install helper commands"):
            helper_programs.install_conveniences()
            helper_programs.install_registries_helper(self.plugin)


@contextmanager
def _work_directory() -> Iterator[str]:
    """A directory that only root can enter, on a file system where programs may run. A killed run may have left one."""
    for left in glob.glob(f"{private.prefix()}/{_WORK}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_WORK, dir=private.prefix()) as directory:
        yield directory


def _cluster() -> Cluster:
    return target.cluster(attempts=1, timeout=5.0)


def _share_kubeconfig() -> None:
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


def _say_next(wanted: Wanted) -> None:
    log.detail("The cluster is ready. The commands that come next:")
    lines = [
        "dokku proxy:set --global k3s",
        "dokku registry:set --global server REGISTRY",
        "dokku registry:set --global push-on-release true",
        "dokku registry:login REGISTRY USER",
        "dokku scheduler:set --global selected k3s",
    ]
    if wanted.tainted:
        lines.append("dokku scheduler-k3s:cluster:add ssh://USER@HOST   (apps do not run on this server)")
    for line in lines:
        log.detail(f"  {line}")
