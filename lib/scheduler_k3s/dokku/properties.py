"""dokku's property store: one file per property at $DOKKU_LIB_ROOT/config/<plugin>/<scope>/<property>.

The scope is an app or the literal `--global`. A missing and an empty file both read as "". Values are raw
text without an added newline; lists hold one item per line; maps are one JSON object of strings. Reading
files of other plugins is how dokku's own plugins do it too; their format is stable.
"""

import os

from scheduler_k3s.dokku import host
from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

GLOBAL = "--global"
PLUGIN = "scheduler-k3s"


def read(scope: str, name: str, plugin: str = PLUGIN) -> str:
    try:
        with open(_path(plugin, scope, name), encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    except PermissionError as error:
        raise PluginError(
            f"Unable to read property {scope}.{name} of {plugin}: {error.filename} is not readable by this user. "
            f"Give it back with: chown {host.system_user()}:{host.system_group()} {error.filename}"
        ) from None


def computed(app: str, name: str, default: str = "", plugin: str = PLUGIN) -> str:
    """The app's value, else the global one, else `default`."""
    return read(app, name, plugin) or read(GLOBAL, name, plugin) or default


def read_list(scope: str, name: str, plugin: str = PLUGIN) -> list[str]:
    return [line for line in read(scope, name, plugin).split("\n") if line]


def read_map(scope: str, name: str, plugin: str = PLUGIN) -> dict[str, str]:
    """Errors: PluginError naming the property when the file holds no JSON object."""
    text = read(scope, name, plugin)
    if not text:
        return {}
    import json

    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PluginError(f"Unable to parse {plugin} map property {scope}.{name} as JSON: {error}") from None
    if not isinstance(value, dict):
        raise PluginError(
            f"Unable to parse {plugin} map property {scope}.{name} as JSON: it is not an object"
        )
    texts = {key: item if isinstance(item, str) else json.dumps(item) for key, item in value.items()}
    return {_printable(key): _printable(item) for key, item in texts.items()}


def _printable(text: str) -> str:
    """JSON can spell half a character (`\\ud800`), which nothing can be encoded to; Go reads it as U+FFFD too."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def names(scope: str, plugin: str = PLUGIN) -> list[str]:
    """The names of all properties set in a scope, sorted. A leading dot marks a write that was cut off."""
    try:
        with os.scandir(_path(plugin, scope)) as entries:
            return sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []


def write(scope: str, name: str, value: str, plugin: str = PLUGIN) -> None:
    """Replace the property at once: a concurrent reader sees the old or the new value, never a part."""
    _check_component(scope)
    _check_component(name)
    directory = _path(plugin, scope)
    make_directory(_path(plugin))
    make_directory(directory)
    replace_file(f"{directory}/{name}", value.encode("utf-8", "surrogateescape"))


def write_map(scope: str, name: str, value: "Mapping[str, str]", plugin: str = PLUGIN) -> None:
    import json

    write(scope, name, json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False), plugin)


def change_map(scope: str, name: str, key: str, value: str) -> None:
    """Set one key of a map, or remove it with an empty value. Commands at the same time lose nothing of each other.

    Errors: PluginError, also when the file holds no map.
    """
    try:
        _check_component(scope)
        _check_component(name)
        if value or read(scope, name):
            _change_map(scope, name, key, value)
    except PluginError as error:
        what = "set" if value else "delete"
        raise PluginError(f"Unable to {what} property map entry: {error.message}") from None


def _change_map(scope: str, name: str, key: str, value: str) -> None:
    import fcntl

    make_directory(_path(PLUGIN))
    make_directory(_path(PLUGIN, scope))
    directory = os.open(_path(PLUGIN, scope), os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        stored = read_map(scope, name)
        if value:
            write_map(scope, name, {**stored, key: value})
        elif key in stored:
            write_map(scope, name, {other: stored[other] for other in stored if other != key})
    finally:
        os.close(directory)


def delete(scope: str, name: str, plugin: str = PLUGIN) -> None:
    _check_component(scope)
    _check_component(name)
    try:
        os.unlink(_path(plugin, scope, name))
    except (FileNotFoundError, NotADirectoryError):
        return


def clone(old: str, new: str, plugin: str = PLUGIN) -> None:
    """Copy every property of `old` over those of `new`."""
    for name in names(old, plugin):
        write(new, name, read(old, name, plugin), plugin)


def destroy(scope: str, plugin: str = PLUGIN) -> None:
    """Forget the scope. Files only: an app named like a plugin shares its directory with that plugin's."""
    for name in names(scope, plugin):
        delete(scope, name, plugin)
    try:
        os.rmdir(_path(plugin, scope))
    except OSError:
        return


def replace_file(path: str, content: bytes, mode: int = 0o600) -> None:
    """Write beside and rename, so that a full disk or a kill leaves the old content in place."""
    directory, name = os.path.split(path)
    temporary = f"{directory}/.{name}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        host.give_to_dokku(temporary)
        os.replace(temporary, path)
    except OSError as error:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise PluginError(f"Unable to write {path}: {error.strerror}") from None


def make_directory(path: str, mode: int = 0o755) -> None:
    """Make the directory (parents exist) with dokku as its owner; an existing one is left as it is."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_directory(os.path.dirname(path))
        try:
            os.mkdir(path)
        except FileExistsError:  # another command was faster
            return
    except OSError as error:
        raise PluginError(f"Unable to create directory {path}: {error.strerror}") from None
    os.chmod(path, mode)
    host.give_to_dokku(path)


def _path(*parts: str) -> str:
    return "/".join((host.lib_root(), "config", *parts))


def _check_component(name: str) -> None:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise PluginError(f"Invalid property name: {name!r}, it must be one file name, not empty or '..'")
    if len(name.encode("utf-8", "surrogateescape")) > 240:
        raise PluginError(f"Invalid property name: {name[:40]}..., it is longer than 240 bytes")
