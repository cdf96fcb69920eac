"""common: whether an app is deployed, and the programs other plugins call for properties and app names."""

import sys

from .. import apps, host, process, props, triggers
from ..kinds import Commands, Triggers
from ..log import Fail

DESCRIPTION = "dokku core common plugin"


def is_deployed(app: str) -> bool:
    """Asked of the scheduler once; the answer is kept for good."""
    known = props.get("common", app, "deployed")
    if not known:
        argv = ["plugn", "trigger", "scheduler-is-deployed", triggers.scheduler(app), app]
        code, _, _ = process.piped(argv, show_output=False, show_errors=False)
        known = "false" if code else "true"
        props.put("common", app, "deployed", known)
    return known == "true"


def verify_deployed(app: str) -> None:
    if not is_deployed(app):
        raise Fail(f"App {app} has not been deployed")


def core_post_deploy(words: list[str]) -> None:
    props.put("common", words[0], "deployed", "true")


def forget(words: list[str]) -> None:
    props.destroy("common", words[0])


def common(words: list[str]) -> int:
    """The program `common`: verify-app-name and is-deployed, by exit code alone under --quiet."""
    silent = "--quiet" in words
    command, app = ([word for word in words if word != "--quiet"] + ["", ""])[:2]
    try:
        if command == "verify-app-name":
            apps.verify(app)
            return 0
        if command == "is-deployed":
            return 0 if is_deployed(apps.verify(app)) else 1
    except Fail as failure:
        if not silent:
            raise
        return failure.code
    raise Fail(f"Invalid command: {command}")


def _index(words: list[str], position: int) -> int:
    return int(words[position]) if len(words) > position and words[position].isdigit() else 0


def _print(value: str) -> int:
    if value:
        sys.stdout.write(value + "\n")
    return 0


def prop(words: list[str]) -> int:
    """The program `prop`. An operation that it does not know succeeds silently."""
    operation, plugin, app, name, value = (words + [""] * 5)[:5]
    items = props.get_list(plugin, app, name) if name else []
    if operation == "get":
        return _print(props.get(plugin, app, name))
    if operation == "get-with-default":
        return _print(props.get(plugin, app, name, value))
    if operation == "exists":
        return 0 if props.exists(plugin, app, name) else 1
    if operation == "lismember":
        return 0 if value in items else 1
    if operation == "llen":
        return _print(str(len(items)))
    if operation == "lindex":
        return _print(items[int(value)]) if int(value) < len(items) else 1
    if operation == "lrange":
        return _print("\n".join(items))
    if operation in ("get-all", "get-all-by-prefix"):
        found = props.all_of(plugin, app).items()
        return _print("\n".join(f"{key} {text}" for key, text in found if key.startswith(name)))
    _change(operation, words, items)
    return 0


def _change(operation: str, words: list[str], items: list[str]) -> None:
    plugin, app, name, value = (words[1:] + [""] * 4)[:4]
    if operation == "set":
        props.put(plugin, app, name, value)
    elif operation == "del":
        props.delete(plugin, app, name)
    elif operation == "rpush":
        position = _index(words, 5) or len(items) + 1
        props.put_list(plugin, app, name, [*items[: position - 1], value, *items[position - 1 :]])
    elif operation == "lset":
        items[_index(words, 5)] = value
        props.put_list(plugin, app, name, items)
    elif operation == "lrem":
        props.put_list(plugin, app, name, [item for item in items if item != value])
    elif operation == "lrem-by-prefix":
        props.put_list(plugin, app, name, [item for item in items if not item.startswith(value)])
    elif operation in ("setup", "setup-app"):
        host.make_directory(props.path(plugin, app))
    elif operation == "clone":
        props.clone(plugin, app, name)
    elif operation == "destroy":
        props.destroy(plugin, app)


TRIGGERS: Triggers = {
    "core-post-deploy": core_post_deploy,
    "post-delete": forget,
    "common": common,
    "prop": prop,
}
COMMANDS: Commands = {}
