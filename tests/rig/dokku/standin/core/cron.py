"""cron: the tasks of app.json."""

import os

from .. import apps, args, lifecycle, log, perdeploy, process, props, report, triggers
from ..kinds import Commands, Handler, Triggers
from ..log import Fail

DESCRIPTION = "dokku core cron plugin"
SETTINGS = ["mailfrom", "mailto", "maintenance"]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
Task = dict[str, object]


def task_id(app: str, command: str, schedule: str) -> str:
    """The bytes of app, command and schedule as one number in base 36."""
    text = f"{app}==={command}==={schedule}".encode()
    number = int.from_bytes(text, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return "0" * (len(text) - len(text.lstrip(b"\0"))) + digits


def _task(app: str, entry: Task, app_maintained: bool) -> Task:
    command, schedule = str(entry.get("command", "")), str(entry.get("schedule", ""))
    key = task_id(app, command, schedule)
    maintained = entry.get("maintenance") is True or props.get("cron", app, f"maintenance.{key}") == "true"
    return {
        "id": key,
        "app": app,
        "command": command,
        "schedule": schedule,
        "concurrency_policy": entry.get("concurrency_policy") or "allow",
        "app-in-maintenance": app_maintained,
        "task-in-maintenance": maintained,
        "maintenance": app_maintained or maintained,
    }


def tasks(app: str) -> list[Task]:
    from . import app_json

    if not perdeploy.current("app-json", app, "app.json"):
        return []
    entries = app_json.content(app).get("cron")
    maintained = props.computed("cron", app, "maintenance") == "true"
    found = entries if isinstance(entries, list) else []
    return [_task(app, entry, maintained) for entry in found if isinstance(entry, dict)]


def list_command(words: list[str]) -> None:
    parsed = args.parse(words, "global", "format")
    chosen = apps.verified_all() if parsed.on("global") else [apps.verify(parsed.word(0))]
    found = [task for app in chosen for task in tasks(app)]
    if parsed.value("format", "stdout") == "json":
        import json

        log.line(json.dumps(found, separators=(",", ":")))
        return
    rows = [["ID", "Schedule", "Maintenance", "Command"]]
    rows += [
        [str(t["id"]), str(t["schedule"]), str(t["maintenance"]).lower(), str(t["command"])] for t in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        log.line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _find(app: str, key: str) -> Task:
    for task in tasks(app):
        if task["id"] == key:
            return task
    raise Fail(f"No matching cron ID found for {app}: {key}")


def run(words: list[str]) -> None:
    """<app> <id> [--detach] [--ttl-seconds N]: what the task does, now."""
    import shlex

    parsed = args.parse(words, "detach", "ttl-seconds")
    app = apps.verify(parsed.word(0))
    task = _find(app, parsed.word(1))
    env = {
        "DOKKU_CRON_ID": str(task["id"]),
        "DOKKU_CONCURRENCY_POLICY": str(task["concurrency_policy"]),
        "DOKKU_RM_CONTAINER": "1",
        "DOKKU_RUN_TTL_SECONDS": parsed.value("ttl-seconds", "86400"),
    }
    if parsed.on("detach"):
        env |= {"DOKKU_DETACH_CONTAINER": "1", "DOKKU_DISABLE_TTY": "true"}
    command = shlex.split(str(task["command"]))
    argv = ["plugn", "trigger", "scheduler-run", triggers.scheduler(app), app, "0", "--", *command]
    # Unlike elsewhere, what the listener said on stderr is not said again.
    if process.piped(argv, env=env, inherit_stdin=os.isatty(1))[0]:
        raise Fail(code=1)


def write(app: str) -> None:
    if app == props.GLOBAL:
        triggers.go("scheduler-cron-write", triggers.scheduler(""))
    else:
        triggers.go("scheduler-cron-write", triggers.scheduler(app), app)


_store = report.setter("cron", SETTINGS)


def set_command(words: list[str]) -> None:
    _store(words)
    write(words[0])


def _maintain(value: str) -> Handler:
    def handle(words: list[str]) -> None:
        parsed = args.parse(words)
        app = apps.verify(parsed.word(0))
        task = _find(app, parsed.word(1))
        props.put_or_delete("cron", app, f"maintenance.{task['id']}", value)
        write(app)

    return handle


def cron_get_property(words: list[str]) -> None:
    if words[1] not in SETTINGS:
        raise Fail(f"Invalid property specified: {words[1]}")
    log.line(props.get("cron", *words[:2]))


def _uses_host_cron(scheduler: str) -> bool:
    return triggers.ask("scheduler-uses-host-cron", scheduler) == "true"


def scheduler_stop(words: list[str]) -> None:
    scheduler, app = words[:2]
    if _uses_host_cron(scheduler):
        triggers.must_fire("scheduler-cron-write", scheduler, app)


def post_deploy(words: list[str]) -> None:
    triggers.must_fire("scheduler-cron-write", triggers.scheduler(words[0]), words[0])


def post_delete(words: list[str]) -> None:
    scheduler = triggers.scheduler(words[0])
    LIFECYCLE["post-delete"](words)
    triggers.must_fire("scheduler-cron-write", scheduler, words[0])


def facts(app: str) -> report.Facts:
    return {
        **{name: props.get("cron", app, name) for name in SETTINGS},
        "computed-maintenance": props.computed("cron", app, "maintenance", "false"),
        "task-count": str(len(tasks(app))),
    }


show = report.command("cron", facts)
LIFECYCLE = lifecycle.of("cron")

TRIGGERS: Triggers = {
    **LIFECYCLE,
    "cron-get-property": cron_get_property,
    "post-delete": post_delete,
    "post-deploy": post_deploy,
    "report": lambda words: show(words[:1]),
    "scheduler-stop": scheduler_stop,
}
COMMANDS: Commands = {
    "": (list_command, "<app> [--format json|stdout], List an app's cron tasks"),
    "list": (list_command, "<app> [--format json|stdout], List an app's cron tasks"),
    "report": (show, "[<app>] [<flag>], Show the cron settings of apps"),
    "resume": (_maintain(""), "<app> <cron_id>, Let a task run again"),
    "run": (run, "<app> <cron_id> [--detach] [--ttl-seconds N], Run a task now"),
    "set": (set_command, "<app>|--global <property> (<value>), Set or clear a cron property"),
    "suspend": (_maintain("true"), "<app> <cron_id>, Keep a task from running"),
}
