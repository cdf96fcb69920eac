"""ps: process types, their scale, and starting, stopping and restoring apps."""

import os
import sys
from _collections_abc import Callable

from .. import apps, args, capture, host, lifecycle, log, perdeploy, props, report, triggers
from ..kinds import Commands, Handler, Triggers
from ..log import Fail
from . import common, config

DESCRIPTION = "dokku core ps plugin"
DEFAULTS = {
    "restart-policy": "on-failure:10",
    "restore": "true",
    "skip-deploy": "false",
    "stop-timeout-seconds": "30",
}
SETTINGS = [*DEFAULTS, "dockerfile-start-cmd", "procfile-path", "start-cmd"]


def setting(app: str, name: str) -> str:
    return props.computed("ps", app, name, DEFAULTS.get(name, ""))


def _quantities(app: str, name: str) -> dict[str, int]:
    pairs = [line.partition("=") for line in props.get_list("ps", app, name)]
    return {kind: int(count) for kind, _, count in pairs}


def scale(app: str) -> dict[str, int]:
    """Replicas by process type, with the types just removed at 0."""
    return {**_quantities(app, "scale.old"), **_quantities(app, "scale")}


def store_scale(app: str, quantities: dict[str, int]) -> None:
    props.put_list("ps", app, "scale", [f"{kind}={quantities[kind]}" for kind in sorted(quantities)])


def procfile(app: str) -> dict[str, str]:
    """Commands by process type of the deploy under way, else of the last one."""
    commands = {}
    for line in perdeploy.current("ps", app, "Procfile").split("\n"):
        kind, colon, command = line.strip().partition(":")
        if colon and not kind.startswith("#"):
            commands[kind.strip()] = command.strip()
    return commands


def _expanded(command: str, values: dict[str, str]) -> str:
    """Variables in any quotes; unknown ones become empty, and the $ of $( ) is lost."""
    import re

    return re.sub(
        r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))?", lambda found: values.get(found[1] or found[2] or "", ""), command
    )


def procfile_get_command(words: list[str]) -> None:
    app, kind, port = [*words, "", ""][:3]
    commands = procfile(app)
    if not commands:
        return
    if kind not in commands:
        raise Fail(f"Process type {kind} not found in Procfile")
    log.line(_expanded(commands[kind], {**config.merged(app), "PORT": port}))


def procfile_exists(words: list[str]) -> int:
    return 0 if perdeploy.current("ps", words[0], "Procfile") else 1


def ps_current_scale(words: list[str]) -> None:
    found = scale(words[0])
    sys.stdout.write("\n".join(f"{kind}={found[kind]}" for kind in sorted(found)))


def ps_get_property(words: list[str]) -> None:
    if words[1] not in DEFAULTS:
        raise Fail(f"Invalid property specified: {words[1]}")
    log.line(setting(words[0], words[1]))


def core_post_extract(words: list[str]) -> None:
    app, source = words[:2]
    perdeploy.extract("ps", app, "Procfile", source, setting(app, "procfile-path") or "Procfile")


def core_post_deploy(words: list[str]) -> None:
    perdeploy.promote("ps", words[0], "Procfile")
    props.put("ps", words[0], "restore", "true")
    props.delete("ps", words[0], "scale.old")


def post_release_builder(words: list[str]) -> None:
    """Every Procfile type gets a scale, web one process; types gone from it go down to none."""
    app = words[1]
    kinds = list(procfile(app)) or ["web"]
    known = _quantities(app, "scale")
    gone = [kind for kind in known if kind not in kinds]
    store_scale(app, {kind: known.get(kind, 1 if kind == "web" else 0) for kind in kinds})
    props.put_list("ps", app, "scale.old", [f"{kind}=0" for kind in gone])


def post_stop(words: list[str]) -> None:
    props.put("ps", words[0], "restore", "false")


def post_app_copied(words: list[str]) -> None:
    if os.environ.get("SKIP_REBUILD") != "true":
        with capture.Build(words[1], "ps:rebuild"):
            triggers.go("receive-app", words[1])


def deploy_tag(app: str) -> str:
    return triggers.ask("deployed-app-image-tag", app) or "latest"


def scale_command(words: list[str]) -> None:
    parsed = args.parse(words, "skip-deploy")
    app = apps.verify(parsed.word(0))
    known = _quantities(app, "scale")
    if not parsed.words[1:]:
        log.headline_unless_quiet(f"Scaling for {app}")
        log.line("proctype: qty\n--------: ---")
        log.data("\n".join(f"{kind}: {known[kind]}" for kind in sorted(known)))
        return
    if props.get("ps", app, "can-scale") == "false":
        raise Fail(f"App {app} contains an app.json file with a formations key and cannot be manually scaled")
    wanted: dict[str, int] = {}
    for word in parsed.words[1:]:
        kind, equals, count = word.partition("=")
        if not kind or not equals or not count.isdigit():
            raise Fail(f"Invalid scale: {word}")
        wanted[kind] = int(count)
    log.step_unless_quiet(f"Scaling {app} processes: {' '.join(parsed.words[1:])}")
    store_scale(app, {**known, **wanted})
    if parsed.on("skip-deploy") or not common.is_deployed(app):
        return
    for kind in sorted(kind for kind, count in wanted.items() if known.get(kind) != count):
        triggers.go("deploy", app, deploy_tag(app), kind)


def status(app: str) -> tuple[str, str]:
    """Process count and state. An answer without a state is more than dokku survives."""
    _, answer = triggers.try_ask("scheduler-app-status", triggers.scheduler(app), app)
    fields = answer.split(" ")
    if len(fields) < 2:
        sys.stderr.write(
            "panic: runtime error: index out of range [1] with length 1\n\ngoroutine 1 [running]:\n"
        )
        raise Fail(code=2)
    return fields[0], fields[1].strip()


def _start(app: str) -> None:
    triggers.go("pre-start", app)
    if status(app)[1] == "true":
        log.warn(f"App {app} already running")
        return
    triggers.go("release-and-deploy", app, deploy_tag(app))
    triggers.go("proxy-build-config", app)


def start(app: str, _kind: str) -> None:
    common.verify_deployed(app)
    _start(app)


def stop(app: str, _kind: str) -> None:
    log.step_unless_quiet(f"Stopping {app}")
    triggers.go("scheduler-stop", triggers.scheduler(app), app)
    triggers.go("post-stop", app)


def restart(app: str, kind: str) -> None:
    common.verify_deployed(app)
    with capture.Build(app, "ps:restart"):
        triggers.go("deploy", app, deploy_tag(app), *([kind] if kind else []))


def rebuild(app: str, _kind: str) -> None:
    if triggers.try_ask("git-has-code", app)[0]:
        raise Fail(f"App {app} has not been deployed")
    with capture.Build(app, "ps:rebuild"):
        triggers.go("receive-app", app)


def _restore_one(app: str) -> None:
    triggers.go("scheduler-pre-restore", triggers.scheduler(app), app)
    triggers.go("proxy-clear-config", app)
    if common.is_deployed(app) and setting(app, "restore") != "false":
        _start(app)


def restore(words: list[str]) -> int:
    """An app whose restore fails does not keep the others from theirs."""
    parsed = args.parse(words)
    chosen = [apps.verify(parsed.word(0))] if parsed.words else apps.verified_all()
    triggers.go("pre-restore")
    failed = 0
    for app in chosen:
        try:
            _restore_one(app)
        except Fail as failure:
            failed = 1
            log.warn(f"Error restoring {app}: {failure.message}")
    return failed


def retire(_words: list[str]) -> None:
    import fcntl

    path = host.data("ps", "retire")
    host.make_directory(host.data("ps"))
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        triggers.go("scheduler-retire", triggers.scheduler(""), "")
        triggers.go("scheduler-run-retire")


def inspect(words: list[str]) -> None:
    app = apps.verify(args.parse(words).word(0))
    triggers.go("scheduler-inspect", triggers.scheduler(app), app)


def _of_apps(handler: Callable[[str, str], None]) -> Handler:
    """<app> [type] or --all."""

    def handle(words: list[str]) -> None:
        parsed = args.parse(words, "all")
        if parsed.on("all"):
            for app in apps.verified_all():
                handler(app, "")
        else:
            handler(apps.verify(parsed.word(0)), parsed.word(1))

    return handle


def facts(app: str) -> report.Facts:
    count, _ = status(app)
    _, running = status(app)
    stored = {name: props.get("ps", app, name) for name in SETTINGS}
    computed = {f"computed-{name}": setting(app, name) for name in SETTINGS}
    return {
        **stored,
        **computed,
        "can-scale": props.get("ps", app, "can-scale", "true"),
        "deployed": "true" if common.is_deployed(app) else "false",
        "processes": count,
        "running": running,
    }


show = report.command("ps", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("ps"),
    "core-post-deploy": core_post_deploy,
    "core-post-extract": core_post_extract,
    "post-app-clone": post_app_copied,
    "post-app-rename": post_app_copied,
    "post-release-builder": post_release_builder,
    "post-stop": post_stop,
    "procfile-exists": procfile_exists,
    "procfile-get-command": procfile_get_command,
    "ps-current-scale": ps_current_scale,
    "ps-get-property": ps_get_property,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the processes of apps"),
    "inspect": (inspect, "<app>, Show what the scheduler knows of an app's processes"),
    "rebuild": (_of_apps(rebuild), "[--all] <app>, Build and deploy again"),
    "report": (show, "[<app>] [<flag>], Show the processes of apps"),
    "restart": (_of_apps(restart), "[--all] <app> [<process-type>], Restart an app"),
    "restore": (restore, "[<app>], Start what ran before the host stopped"),
    "retire": (retire, ", Remove what older deploys left"),
    "scale": (
        scale_command,
        "[--skip-deploy] <app> <type>=<quantity> ..., Show or set the number of processes",
    ),
    "set": (
        report.setter("ps", SETTINGS, ["restore"]),
        "<app>|--global <property> (<value>), Set a ps property",
    ),
    "start": (_of_apps(start), "[--all] <app>, Start an app"),
    "stop": (_of_apps(stop), "[--all] <app>, Stop an app"),
}
