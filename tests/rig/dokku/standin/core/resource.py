"""resource: limits and reservations per process type."""

from .. import apps, args, lifecycle, log, props, report
from ..kinds import Commands, Handler, Triggers
from ..log import Fail

DESCRIPTION = "dokku core resource plugin"
DEFAULT = "_default_"
KEYS = {
    "limit": ["cpu", "memory", "memory-swap", "network", "network-ingress", "network-egress", "nvidia-gpu"],
    "reserve": ["cpu", "memory", "memory-swap", "network", "network-ingress", "network-egress", "nvidia-gpu"],
}


def resource_get_property(words: list[str]) -> None:
    app, kind, what, key = words
    if what not in KEYS:
        raise Fail(f"Invalid resource type: {what}")
    own = props.get("resource", app, f"{kind}.{what}.{key}")
    log.line(own or props.get("resource", app, f"{DEFAULT}.{what}.{key}"))


def _setter(what: str) -> Handler:
    """<app> with values stores them; without, shows what is stored."""

    def handle(words: list[str]) -> None:
        parsed = args.parse(words, "", " ".join([*KEYS[what], "process-type"]))
        app = apps.verify(parsed.word(0))
        kind = parsed.value("process-type", DEFAULT)
        given = {key: parsed.value(key) for key in KEYS[what] if parsed.on(key)}
        for key, value in given.items():
            log.headline_unless_quiet(f"Setting {what} {key} of {app} ({kind}) to {value}")
            props.put_or_delete("resource", app, f"{kind}.{what}.{key}", value)
        if not given:
            for key in KEYS[what]:
                log.line(f"       {key}: {props.get('resource', app, f'{kind}.{what}.{key}')}")

    return handle


def _clearer(what: str) -> Handler:
    def handle(words: list[str]) -> None:
        parsed = args.parse(words, "", "process-type")
        app = apps.verify(parsed.word(0))
        prefix = f"{parsed.value('process-type', DEFAULT)}.{what}."
        for name in props.all_of("resource", app):
            if name.startswith(prefix):
                props.delete("resource", app, name)

    return handle


def facts(app: str) -> report.Facts:
    known = {f"{DEFAULT}.{what}.{key}": "" for what, keys in KEYS.items() for key in keys}
    return known | props.all_of("resource", app)


show = report.command("resource", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("resource"),
    "report": lambda words: show(words[:1]),
    "resource-get-property": resource_get_property,
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the resources of apps"),
    "limit": (_setter("limit"), "[--process-type <type>] [--<resource> <value> ...] <app>, Limit resources"),
    "limit-clear": (_clearer("limit"), "[--process-type <type>] <app>, Remove limits"),
    "report": (show, "[<app>] [<flag>], Show the resources of apps"),
    "reserve": (
        _setter("reserve"),
        "[--process-type <type>] [--<resource> <value> ...] <app>, Reserve resources",
    ),
    "reserve-clear": (_clearer("reserve"), "[--process-type <type>] <app>, Remove reservations"),
}
