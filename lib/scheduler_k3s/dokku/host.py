"""Where dokku keeps things on this host. dokku exports these variables to every trigger and subcommand."""

import os

from scheduler_k3s.errors import PluginError


def root() -> str:
    """DOKKU_ROOT: one directory per app, and the dokku user's home."""
    return os.environ.get("DOKKU_ROOT") or "/home/dokku"


def lib_root() -> str:
    return os.environ.get("DOKKU_LIB_ROOT") or "/var/lib/dokku"


def plugin_path() -> str:
    return os.environ.get("PLUGIN_PATH") or f"{lib_root()}/plugins"


def core_plugins() -> str:
    return os.environ.get("PLUGIN_CORE_PATH") or f"{lib_root()}/core-plugins"


def enabled_plugins() -> str:
    return os.environ.get("PLUGIN_ENABLED_PATH") or f"{plugin_path()}/enabled"


def available_plugins() -> str:
    return os.environ.get("PLUGIN_AVAILABLE_PATH") or f"{plugin_path()}/available"


def system_user() -> str:
    return os.environ.get("DOKKU_SYSTEM_USER") or "dokku"


def system_group() -> str:
    return os.environ.get("DOKKU_SYSTEM_GROUP") or "dokku"


def data(app: str = "", plugin: str = "scheduler-k3s") -> str:
    """The plugin's data directory, or that of one of its apps."""
    base = f"{lib_root()}/data/{plugin}"
    return f"{base}/{app}" if app else base


def give_to_dokku(path: str) -> None:
    """Files that root makes must belong to dokku, whose commands read and replace them later."""
    if os.geteuid() == 0:
        os.chown(path, *owner())


def owner() -> tuple[int, int]:
    """dokku's user and group id. Errors: PluginError when this host has no such user or group."""
    import grp
    import pwd

    try:
        return pwd.getpwnam(system_user()).pw_uid, grp.getgrnam(system_group()).gr_gid
    except KeyError as error:
        raise PluginError(f"Unable to give files to dokku: {error.args[0]}") from None
