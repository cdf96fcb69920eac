"""scheduler: which scheduler an app uses."""

from .. import lifecycle, log, props, report
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core scheduler plugin"
SETTINGS = ["selected", "shell"]


def scheduler_detect(words: list[str]) -> None:
    log.line(props.computed("scheduler", words[0], "selected", "docker-local"))


def facts(app: str) -> report.Facts:
    found = {name: props.get("scheduler", app, name) for name in SETTINGS}
    shared = {f"global-{name}": props.get("scheduler", props.GLOBAL, name) for name in SETTINGS}
    shared["global-selected"] = shared["global-selected"] or "docker-local"
    computed = {
        "computed-selected": props.computed("scheduler", app, "selected", "docker-local"),
        "computed-shell": props.computed("scheduler", app, "shell", "/bin/bash"),
    }
    return {**found, **shared, **computed}


show = report.command("scheduler", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("scheduler"),
    "report": lambda words: show(words[:1]),
    "scheduler-detect": scheduler_detect,
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the schedulers of apps"),
    "report": (show, "[<app>] [<flag>], Show the schedulers of apps"),
    "set": (
        report.setter("scheduler", SETTINGS),
        "<app>|--global <property> (<value>), Set or clear a scheduler property",
    ),
}
