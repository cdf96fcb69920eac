"""run: one-off processes."""

from .. import apps, args, triggers
from ..kinds import Commands, Triggers
from ..log import Fail

DESCRIPTION = "dokku core run plugin"


def _run(words: list[str], detached: bool) -> int:
    """Options stop at the app; all behind it is the command, unless --app has named another app."""
    parsed = args.parse(
        words, "no-tty force-tty", "env|e ttl-seconds cron-id concurrency-policy", leading=True
    )
    app, command = apps.verify(parsed.word(0)), parsed.words[1:]
    env = {
        "DOKKU_RM_CONTAINER": "1",
        "DOKKU_CRON_ID": parsed.value("cron-id"),
        "DOKKU_CONCURRENCY_POLICY": parsed.value("concurrency-policy", "allow"),
        "DOKKU_RUN_TTL_SECONDS": parsed.value("ttl-seconds", "86400"),
    }
    if parsed.on("force-tty"):
        env["DOKKU_FORCE_TTY"] = "true"
    if parsed.on("no-tty") or detached:
        env["DOKKU_DISABLE_TTY"] = "true"
    if detached:
        env["DOKKU_DETACH_CONTAINER"] = "1"
    pairs = parsed.all("env")
    scheduler = triggers.scheduler(app)
    return triggers.fire("scheduler-run", scheduler, app, str(len(pairs)), *pairs, "--", *command, env=env)


def run(words: list[str]) -> int:
    return _run(words, detached=False)


def detached(words: list[str]) -> int:
    return _run(words, detached=True)


def list_command(words: list[str]) -> int:
    parsed = args.parse(words, "", "format")
    app = apps.verify(parsed.word(0))
    return triggers.fire("scheduler-run-list", triggers.scheduler(app), app, parsed.value("format", "stdout"))


def _check_name(name: str) -> str:
    """<app>.run.<x>, with exactly two dots."""
    parts = name.split(".")
    if name and (len(parts) != 3 or parts[1] != "run"):
        raise Fail(f"Invalid container name specified: {name}")
    return name


def logs(words: list[str]) -> int:
    parsed = args.parse(words, "tail|t quiet|q", "container|c num|n")
    container = _check_name(parsed.value("container"))
    app = apps.verify(parsed.word(0) or container.partition(".")[0])
    flags = ["true" if parsed.on(name) else "false" for name in ("tail", "quiet")]
    scheduler = triggers.scheduler(app)
    return triggers.fire("scheduler-run-logs", scheduler, app, container, *flags, parsed.value("num", "100"))


def stop(words: list[str]) -> int:
    parsed = args.parse(words, "", "container|c")
    container, app = parsed.value("container"), parsed.word(0)
    if app or not container:
        apps.verify(app)
    return triggers.fire("scheduler-run-stop", triggers.scheduler(app), app, container)


def retire(words: list[str]) -> int:
    app = args.parse(words).word(0)
    if not app:
        return triggers.fire("scheduler-run-retire")
    return triggers.fire("scheduler-run-retire", triggers.scheduler(apps.verify(app)), app)


TRIGGERS: Triggers = {}
COMMANDS: Commands = {
    "": (run, "[-e KEY=VALUE] [--ttl-seconds N] [--no-tty|--force-tty] <app> <cmd>, Run a command"),
    "detached": (detached, "[-e KEY=VALUE] [--ttl-seconds N] <app> <cmd>, Run a command in the background"),
    "list": (list_command, "<app> [--format json|stdout], List the one-off processes of an app"),
    "logs": (logs, "[<app>] [--container <name>] [-t] [-n N] [-q], Show what a one-off process prints"),
    "retire": (retire, "[<app>], Stop the one-off processes that are over their time"),
    "stop": (stop, "[<app>] [--container <name>], Stop one-off processes"),
}
