"""`scheduler-k3s:initialize`: makes this host the first server of a k3s cluster, ready for apps.

The steps are listed in `_steps`. Each can be done again without harm, and the property `initialize-unfinished` is set
from the first to the last: a run that ended early is repeated with the same command, and goes on where it ended.
"""

import shlex
from collections.abc import Callable, Sequence

from scheduler_k3s import log
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import (
    cluster_settings,
    dependencies,
    helper_programs,
    lock,
    preflight,
    server_identity,
    signals,
    system_charts,
    system_upgrader,
)
from scheduler_k3s.operations.cluster_release import failing
from scheduler_k3s.operations.first_server import FirstServer
from scheduler_k3s.operations.preflight import Wanted
from scheduler_k3s.tools import apt, k3s

UNFINISHED = "initialize-unfinished"


def initialize(plugin: str, wanted: Wanted, words: Sequence[str]) -> None:
    """`plugin` is the plugin's directory; `words` are the command's, to say how to repeat it. Errors: PluginError."""
    preflight.require_root()
    with signals.cancellable("initialize was cancelled"), lock.cluster_lock():
        is_resumed = bool(properties.read(properties.GLOBAL, UNFINISHED))
        server = FirstServer(wanted, preflight.check(wanted, is_resumed), is_resumed)
        if is_resumed:
            log.detail_quiet("Going on with the initialization that did not come to its end")
        else:
            server_identity.tell_of_token()
        log.step_quiet("Initializing k3s")
        properties.write(properties.GLOBAL, UNFINISHED, "true")
        for title, action in _steps(plugin, server):
            try:
                action()
            except PluginError as error:
                command = shlex.join(["dokku", "scheduler-k3s:initialize", *words])
                raise PluginError(
                    f"{error.message}\nStopped at: {title}. What is done is kept. To go on, repeat: {command}",
                    error.exit_code,
                ) from None
        properties.delete(properties.GLOBAL, UNFINISHED)
        _say_next(wanted)
        log.detail_quiet("Done")


def _steps(plugin: str, server: FirstServer) -> tuple[tuple[str, Callable[[], None]], ...]:
    return (
        ("the Debian packages", lambda: _install_packages(server.is_resumed)),
        ("the plugin's own tools", lambda: _install_tools(plugin)),
        ("k3s", server.install),
        ("the node", server.wait),
        ("system-upgrader", system_upgrader.apply),
        ("the node's label", server.label),
        ("the system charts", system_charts.install),
        ("the helper commands", lambda: _install_helpers(plugin)),
        ("the settings of the cluster", cluster_settings.reconcile),
    )


def _install_packages(is_resumed: bool) -> None:
    if is_resumed and apt.are_installed(k3s.PACKAGES):
        return
    log.headline_quiet("Updating apt")
    with failing("Unable to call apt-get update command"):
        apt.update_shown()
    log.headline_quiet("Installing k3s dependencies")
    with failing("Unable to call apt-get install command"):
        apt.install_shown(k3s.PACKAGES)


def _install_tools(plugin: str) -> None:
    if dependencies.missing(plugin):
        log.headline_quiet("Installing helm and kubectl")
        dependencies.install(plugin)


def _install_helpers(plugin: str) -> None:
    log.headline_quiet("Installing helper commands")
    with failing("Unable to install helper commands"):
        helper_programs.install_conveniences()
        helper_programs.install_registries_helper(plugin)


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
