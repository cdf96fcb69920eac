"""checks: which process types are checked during a deploy."""

from .. import apps, args, lifecycle, log, props, report
from ..kinds import Commands, Handler, Triggers
from ..log import Fail

DESCRIPTION = "dokku core checks plugin"
ALL = "_all_"


def checks_get_property(words: list[str]) -> None:
    if words[1] != "wait-to-retire":
        raise Fail(f"Invalid property specified: {words[1]}")
    log.line(props.computed("checks", words[0], "wait-to-retire", "60"))


def _kinds(app: str, name: str) -> list[str]:
    return [kind for kind in props.get("checks", app, name).split(",") if kind]


def _without(app: str, name: str, kinds: list[str]) -> None:
    left = [] if ALL in kinds else [kind for kind in _kinds(app, name) if kind not in (*kinds, ALL)]
    props.put_or_delete("checks", app, name, ",".join(left))


def _switch(action: str) -> Handler:
    """disable and skip put the types on their own list, enable takes them from both."""

    def handle(words: list[str]) -> None:
        parsed = args.parse(words)
        app = apps.verify(parsed.word(0))
        kinds = parsed.word(1).split(",") if parsed.word(1) else [ALL]
        _without(app, "disabled", kinds)
        _without(app, "skipped", kinds)
        if action != "enable":
            name = {"disable": "disabled", "skip": "skipped"}[action]
            listed = [ALL] if ALL in kinds else [*_kinds(app, name), *kinds]
            props.put("checks", app, name, ",".join(listed))
        log.step_unless_quiet(f"Checks of {app} ({','.join(kinds)}): {action}")

    return handle


def facts(app: str) -> report.Facts:
    return {
        "disabled-list": props.get("checks", app, "disabled", "none"),
        "skipped-list": props.get("checks", app, "skipped", "none"),
        "computed-wait-to-retire": props.computed("checks", app, "wait-to-retire", "60"),
        "wait-to-retire": props.get("checks", app, "wait-to-retire"),
    }


show = report.command("checks", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("checks"),
    "checks-get-property": checks_get_property,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the checks of apps"),
    "disable": (_switch("disable"), "<app> [<process-type>,...], Deploy without checks and with downtime"),
    "enable": (_switch("enable"), "<app> [<process-type>,...], Check during deploys"),
    "report": (show, "[<app>] [<flag>], Show the checks of apps"),
    "set": (
        report.setter("checks", ["wait-to-retire"]),
        "<app>|--global <property> (<value>), Set or clear a checks property",
    ),
    "skip": (_switch("skip"), "<app> [<process-type>,...], Do not check during deploys"),
}
