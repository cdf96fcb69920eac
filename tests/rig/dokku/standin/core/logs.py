"""logs: what an app's processes print."""

import os
import sys

from .. import apps, args, host, lifecycle, log, process, props, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail
from . import common

DESCRIPTION = "dokku core logs plugin"
SETTINGS = [
    "app-label-alias",
    "max-size",
    "vector-cron-sink",
    "vector-image",
    "vector-networks",
    "vector-sink",
]


def logs(words: list[str]) -> int:
    parsed = args.parse(words, "tail|t quiet|q", "num|n ps|p")
    app = apps.verify(parsed.word(0))
    common.verify_deployed(app)
    flags = ["true" if parsed.on(name) else "false" for name in ("tail", "quiet")]
    argv = ["plugn", "trigger", "scheduler-logs", triggers.scheduler(app), app, parsed.value("ps"), *flags]
    tty = os.isatty(sys.stdout.fileno())
    env = {"FORCE_TTY": "1"} if tty else {}
    code, _, _ = process.piped([*argv, parsed.value("num", "100")], env=env, inherit_stdin=tty)
    return 1 if code else 0


def failed(words: list[str]) -> None:
    parsed = args.parse(words, "all")
    for app in apps.verified_all() if parsed.on("all") else [apps.verify(parsed.word(0))]:
        log.headline(f"{app} failed deploy logs")
        triggers.go("scheduler-logs-failed", triggers.scheduler(app), app)


def logs_get_property(words: list[str]) -> None:
    app, name = words[:2]
    if app == props.GLOBAL or name not in ("app-label-alias", "max-size"):
        raise Fail(f"Invalid property specified: {name}")
    log.line(props.computed("logs", app, name, {"max-size": "10m"}.get(name, "com.dokku.app-name")))


def facts(app: str) -> report.Facts:
    own = {name: props.get("logs", app, name) for name in SETTINGS}
    shared = {f"global-{name}": props.get("logs", props.GLOBAL, name) for name in SETTINGS}
    computed = {
        f"computed-{name}": props.computed("logs", app, name) for name in ("app-label-alias", "max-size")
    }
    computed["computed-max-size"] = computed["computed-max-size"] or "10m"
    return {**own, **shared, **computed}


show = report.command("logs", facts)


def install(_words: list[str]) -> None:
    host.make_directory(host.data("logs"))


TRIGGERS: Triggers = {
    **lifecycle.of("logs"),
    "install": install,
    "logs-get-property": logs_get_property,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (logs, "<app> [-t|--tail] [-n|--num <number>] [-p|--ps <process>] [-q|--quiet], Show an app's logs"),
    "failed": (failed, "[--all] <app>, Show what a failed deploy's processes printed"),
    "report": (show, "[<app>] [<flag>], Show the log settings of apps"),
    "set": (
        report.setter("logs", SETTINGS),
        "<app>|--global <property> (<value>), Set or clear a logs property",
    ),
}
