"""The property store: $DOKKU_LIB_ROOT/config/<plugin>/<app or --global>/<property>."""

import os

from . import host

GLOBAL = "--global"


def path(plugin: str, app: str, *name: str) -> str:
    return host.lib("config", plugin, app, *name)


def get(plugin: str, app: str, name: str, default: str = "") -> str:
    return host.read(path(plugin, app, name)) or default


def computed(plugin: str, app: str, name: str, default: str = "") -> str:
    return get(plugin, app, name) or get(plugin, GLOBAL, name) or default


def exists(plugin: str, app: str, name: str) -> bool:
    return os.path.isfile(path(plugin, app, name))


def put(plugin: str, app: str, name: str, value: str) -> None:
    host.write(path(plugin, app, name), value, 0o600)


def delete(plugin: str, app: str, name: str) -> None:
    host.remove(path(plugin, app, name))


def put_or_delete(plugin: str, app: str, name: str, value: str) -> None:
    if value:
        put(plugin, app, name, value)
    else:
        delete(plugin, app, name)


def get_list(plugin: str, app: str, name: str) -> list[str]:
    return [line for line in get(plugin, app, name).split("\n") if line]


def put_list(plugin: str, app: str, name: str, items: list[str]) -> None:
    put(plugin, app, name, "".join(f"{item}\n" for item in items))


def all_of(plugin: str, app: str) -> dict[str, str]:
    """Every property of the app, by name; subdirectories are not properties."""
    directory = path(plugin, app)
    if not os.path.isdir(directory):
        return {}
    names = [name for name in sorted(os.listdir(directory)) if os.path.isfile(os.path.join(directory, name))]
    return {name: host.read(os.path.join(directory, name)) for name in names}


def clone(plugin: str, old: str, new: str) -> None:
    """Copies each property over; those that only the target has survive."""
    for name, value in all_of(plugin, old).items():
        put(plugin, new, name, value)


def destroy(plugin: str, app: str) -> None:
    host.remove(host.lib("config", plugin) if app == "_all_" else path(plugin, app))


def rename(plugin: str, old: str, new: str) -> None:
    clone(plugin, old, new)
    destroy(plugin, old)
