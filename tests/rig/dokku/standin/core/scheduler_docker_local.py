"""scheduler-docker-local: keeps account of what would run; no container is started."""

from .. import host, lifecycle, log, props, triggers
from ..kinds import Commands, Handler, Triggers
from . import ps

DESCRIPTION = "dokku core docker-local scheduler plugin"
NAME = "docker-local"


def _for_docker_local(handler: Handler) -> Handler:
    return lambda words: handler(words[1:]) if words[:1] == [NAME] else None


def deploy(words: list[str]) -> int:
    app, tag = words[0], words[1]
    log.headline(f"Starting {app} containers")
    props.put("scheduler-docker-local", app, "running", str(sum(ps.scale(app).values())))
    for name in ("core-post-deploy", "post-deploy"):
        if code := triggers.fire(name, app, "5000", "127.0.0.1", tag):
            return code
    return 0


def app_status(words: list[str]) -> None:
    running = props.get("scheduler-docker-local", words[0], "running", "0")
    log.line(f"{running} {'true' if running != '0' else 'false'}")


def is_deployed(words: list[str]) -> int:
    return 0 if props.exists("scheduler-docker-local", words[0], "running") else 1


def stop(words: list[str]) -> None:
    if props.exists("scheduler-docker-local", words[0], "running"):
        props.put("scheduler-docker-local", words[0], "running", "0")


def uses_host_cron(_words: list[str]) -> None:
    log.line("true")


def cron_write(_words: list[str]) -> None:
    """All apps' tasks of schedulers that leave cron to the host, in one crontab."""
    from .. import apps
    from . import cron

    lines = []
    for app in apps.everything():
        if props.computed("scheduler", app, "selected", NAME) == NAME:
            lines += [
                f"{task['schedule']} dokku run --cron-id {task['id']} {app} {task['command']}\n"
                for task in cron.tasks(app)
                if not task["maintenance"]
            ]
    host.write(host.data("cron", "crontab"), "".join(lines))


TRIGGERS: Triggers = {
    **lifecycle.of("scheduler-docker-local"),
    "scheduler-app-status": _for_docker_local(app_status),
    "scheduler-cron-write": _for_docker_local(cron_write),
    "scheduler-deploy": _for_docker_local(deploy),
    "scheduler-is-deployed": _for_docker_local(is_deployed),
    "scheduler-stop": _for_docker_local(stop),
    "scheduler-uses-host-cron": _for_docker_local(uses_host_cron),
}
COMMANDS: Commands = {}
