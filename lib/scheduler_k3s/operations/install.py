"""The triggers `install`, `update` and `uninstall`. dokku runs them as root, for every plugin that it installs."""

import compileall
import contextlib
import os
import re
import shutil

from scheduler_k3s import log
from scheduler_k3s.dokku import host, properties, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import adopt, certs, dependencies, helper_programs
from scheduler_k3s.operations.migrate import migrate
from scheduler_k3s.tools import private

NAME = properties.PLUGIN


def install(plugin: str) -> None:
    """Make the plugin ready; no harm in doing so again. `plugin` is its directory.

    The cluster is asked only when an app has a certificate, and only once when it is away.
    """
    os.umask(0o022)
    _compile(f"{plugin}/lib")
    for directory in (f"{host.lib_root()}/config/{NAME}", host.data()):
        properties.make_directory(directory)
        _give_tree_to_dokku(directory)
    _warn_of_rivals(plugin)
    if dependencies.missing(plugin):
        log.warn(
            f"The tools of {NAME} are missing or outdated. Install them, as root, with: {private.INSTALL}"
        )
    migrate()
    adopt.note_deployed()
    if os.access(private.location("helm"), os.X_OK):
        certs.sync_all()


def update(plugin: str) -> None:
    """After `plugin:update`. A download that fails is told but not an error: it would stop other plugins' updates."""
    if dependencies.missing(plugin):
        try:
            dependencies.install(plugin)
        except PluginError as error:
            log.warn(error.message)
    install(plugin)


def uninstall(name: str) -> None:
    """dokku tells all plugins which one goes. Properties stay: dokku's own plugin reads the same files."""
    if name != NAME:
        return
    helper_programs.remove_registries_helper()
    link = "/usr/local/bin/helm"
    if os.path.islink(link) and os.readlink(link) == private.location("helm"):
        os.unlink(link)
    if os.path.isdir(private.prefix()):
        log.step(f"Removing {private.prefix()}")
        shutil.rmtree(private.prefix())


def _compile(library: str) -> None:
    """A library without its caches costs every command and trigger some 50 ms."""
    compileall.compile_dir(library, quiet=1)
    _give_tree_to_dokku(library)


def _give_tree_to_dokku(directory: str) -> None:
    if os.geteuid() != 0:
        return
    uid, gid = host.owner()
    for _, directories, files, descriptor in os.fwalk(directory):
        for name in (".", *directories, *files):
            with contextlib.suppress(FileNotFoundError):  # a file of another command that runs now
                info = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if (info.st_uid, info.st_gid) != (uid, gid):
                    os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)


def _warn_of_rivals(plugin: str) -> None:
    """Whatever would act besides us: each trigger of the scheduler would then run twice."""
    core = f"{host.core_plugins()}/enabled/{NAME}"
    if os.path.lexists(core):
        log.warn(
            f"{core} still enables dokku's own {NAME} plugin for dokku's upgrades and keeps plugin:update away. "
            f"Remove it, as root, with: rm {core}"
        )
    for path in triggers.listeners("scheduler-deploy"):
        name = os.path.basename(os.path.dirname(path))
        is_us = os.path.dirname(os.path.dirname(os.path.realpath(path))) == plugin
        if (is_us and name == NAME) or not (is_us or _serves_k3s(path, name)):
            continue
        log.warn(
            f"Plugin {name} also answers for the k3s scheduler, so that everything would be done twice. "
            f"Disable it, as root, with: PLUGIN_PATH={host.plugin_path()} plugn disable {name}"
        )


def _serves_k3s(path: str, name: str) -> bool:
    """By the text of its `scheduler-deploy`; a compiled one is judged by the plugin's name.

    dokku's other schedulers are known not to, whatever their scripts mention.
    """
    if name != NAME and os.path.exists(f"{os.path.dirname(path)}/.core"):
        return False
    with open(path, "rb") as file:
        start = file.read(65536)
    return "k3s" in name or (start.startswith(b"#!") and re.search(rb"\bk3s\b", start) is not None)
