"""config: the environments of apps and of the host."""

import os
import sys

from .. import apps, args, dotenv, host, log, props, triggers
from ..kinds import Commands, Triggers
from ..log import Fail
from . import common

DESCRIPTION = "dokku core config plugin"


def _path(app: str) -> str:
    return host.lib("config", app or props.GLOBAL, "ENV")


def load(app: str) -> dict[str, str]:
    """The environment of an app alone; "" or "--global" means the host's."""
    return dotenv.load(host.read(_path(app)))


def merged(app: str) -> dict[str, str]:
    """The app's environment on top of the host's."""
    return {**load(""), **load(app)}


def _store(app: str, values: dict[str, str]) -> None:
    host.write(_path(app), dotenv.dump(values), 0o600)


def change(app: str, added: dict[str, str], removed: list[str]) -> None:
    """Writes and tells the other plugins; `app` as in load."""
    values = {name: value for name, value in load(app).items() if name not in removed}
    _store(app, {**values, **added})
    told = "" if app == props.GLOBAL else app
    if added:
        triggers.go("post-config-update", told, "set", *added)
    if removed:
        triggers.go("post-config-update", told, "unset", *removed)


def redeploy(app: str, wanted: bool) -> None:
    """After a change, unless told not to. A deploy that fails is only reported."""
    from .. import capture

    if not wanted or app == props.GLOBAL or props.get("ps", app, "restore") == "false":
        return
    if not common.is_deployed(app):
        return
    log.step_unless_quiet(f"Restarting app {app}")
    try:
        with capture.Build(app, "config-redeploy"):
            triggers.go("release-and-deploy", app, "", "config-redeploy")
    except Fail as failure:
        log.warn(f"Failure while restarting app: {failure.message}")


def _pairs(words: list[str], encoded: bool) -> dict[str, str]:
    values = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Fail(f"Invalid env pair: {word}")
        if not (name[0].isalpha() or name[0] == "_") or not name.replace("_", "a").isalnum():
            raise Fail(f"Invalid key name: '{name}'")
        if encoded:
            import base64

            value = base64.b64decode(value).decode(errors="surrogateescape")
        values[name] = value
    return values


def _show_pairs(values: dict[str, str]) -> None:
    width = max((len(name) for name in values), default=0) + 3
    for name in sorted(values):
        log.detail_unless_quiet(f"{name}:".ljust(width) + values[name])


def set_command(words: list[str]) -> None:
    parsed = args.parse(words, "global no-restart encoded")
    app, rest = args.scope(parsed)
    values = _pairs(rest, parsed.on("encoded"))
    if not values:
        raise Fail("At least one env pair must be given")
    log.step_unless_quiet("Setting config vars")
    _show_pairs(values)
    change(app, values, [])
    redeploy(app, not parsed.on("no-restart"))


def unset_command(words: list[str]) -> None:
    parsed = args.parse(words, "global no-restart")
    app, names = args.scope(parsed)
    if not names:
        raise Fail("At least one key must be given")
    for name in names:
        log.step_unless_quiet(f"Unsetting {name}")
    change(app, {}, names)
    redeploy(app, not parsed.on("no-restart"))


def clear_command(words: list[str]) -> None:
    parsed = args.parse(words, "global no-restart")
    app, _ = args.scope(parsed)
    names = sorted(load(app))
    _store(app, {})
    triggers.go("post-config-update", "" if app == props.GLOBAL else app, "clear", *names)
    redeploy(app, not parsed.on("no-restart"))


def get_command(words: list[str]) -> int:
    parsed = args.parse(words, "global quoted")
    app, names = args.scope(parsed)
    values = load(app)
    if not names:
        raise Fail("Expected: key")
    if names[0] not in values:
        return 1
    log.line(values[names[0]])
    return 0


def keys_command(words: list[str]) -> None:
    parsed = args.parse(words, "global merged")
    app, _ = args.scope(parsed)
    log.data("\n".join(sorted(merged(app) if parsed.on("merged") else load(app))))


def show_command(words: list[str]) -> None:
    parsed = args.parse(words, "global merged")
    app, _ = args.scope(parsed)
    log.headline_unless_quiet(f"{'global' if app == props.GLOBAL else app} env vars")
    values = merged(app) if parsed.on("merged") else load(app)
    width = max((len(name) for name in values), default=0) + 3
    log.data("\n".join(f"{name}:".ljust(width) + values[name] for name in sorted(values)))


def export_command(words: list[str]) -> None:
    parsed = args.parse(words, "global merged", "format")
    app, _ = args.scope(parsed)
    sys.stdout.write(
        exported(merged(app) if parsed.on("merged") else load(app), parsed.value("format", "exports"))
    )


def _single(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def exported(values: dict[str, str], form: str) -> str:
    """The environment in one of config-export's formats."""
    import json

    items = sorted(values.items())
    if form == "json":
        return json.dumps(dict(items), ensure_ascii=False, separators=(",", ":"))
    if form == "json-list":
        return json.dumps(
            [{"name": k, "value": v} for k, v in items], ensure_ascii=False, separators=(",", ":")
        )
    if form == "envfile":
        return dotenv.dump(values)
    if form == "shell":
        return " ".join(f"{k}={_single(v)}" for k, v in items)
    if form == "pretty":
        width = max((len(k) for k in values), default=0) + 3
        return "".join(f"{k}:".ljust(width) + f"{v}\n" for k, v in items)
    words = {
        "exports": "\n".join(f"export {k}={_single(v)}" for k, v in items) + "\n" * bool(items),
        "docker-args": " ".join(f"--env={k}={_single(v)}" for k, v in items),
        "docker-args-keys": " ".join(f"--env={k}" for k, _ in items),
        "pack-keys": " ".join(f"--env {k}" for k, _ in items),
    }
    if form not in words:
        raise Fail(f"Unknown export format: {form}")
    return words[form]


def config_export(words: list[str]) -> None:
    """<app> <global?> <merged?> <format>"""
    app, is_global, is_merged, form = (words + ["", "false", "false", "exports"][len(words) :])[:4]
    if is_global == "true":
        app = ""
    else:
        apps.verify(app)
    sys.stdout.write(exported(merged(app) if is_merged == "true" else load(app), form))


def config_get(words: list[str]) -> None:
    sys.stdout.write(load(words[0]).get(words[1], ""))


def config_get_global(words: list[str]) -> None:
    sys.stdout.write(load("").get(words[0], ""))


def post_delete(words: list[str]) -> None:
    host.remove(_path(words[0]))


def clone(words: list[str]) -> None:
    _store(words[1], {**load(words[1]), **load(words[0])})


def rename(words: list[str]) -> None:
    clone(words)
    if os.path.exists(_path(words[0])):
        post_delete(words)


TRIGGERS: Triggers = {
    "config-export": config_export,
    "config-get": config_get,
    "config-get-global": config_get_global,
    "config-set": set_command,
    "config-unset": unset_command,
    "post-app-clone-setup": clone,
    "post-app-rename-setup": rename,
    "post-delete": post_delete,
}
COMMANDS: Commands = {
    "": (show_command, "<app>|--global, Show an app's environment"),
    "clear": (clear_command, "[--no-restart] <app>|--global, Clear the environment"),
    "export": (
        export_command,
        "[--format <format>] [--merged] <app>|--global, Print the environment for programs",
    ),
    "get": (get_command, "<app>|--global KEY, Print one variable"),
    "keys": (keys_command, "[--merged] <app>|--global, Print the names of all variables"),
    "set": (set_command, "[--encoded] [--no-restart] <app>|--global KEY1=VALUE1 ..., Set variables"),
    "show": (show_command, "[--merged] <app>|--global, Show an app's environment"),
    "unset": (unset_command, "[--no-restart] <app>|--global KEY1 ..., Unset variables"),
}
