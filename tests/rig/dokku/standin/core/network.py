"""network: docker networks of apps. Recorded, without effect here."""

from .. import lifecycle, log, props, report
from ..kinds import Commands, Triggers
from ..log import Fail

DESCRIPTION = "dokku core network plugin"
DEFAULTS = {
    "attach-post-create": "",
    "attach-post-deploy": "",
    "bind-all-interfaces": "false",
    "initial-network": "",
    "tld": "",
}


def network_get_property(words: list[str]) -> None:
    if words[1] not in DEFAULTS:
        raise Fail(f"Invalid property specified: {words[1]}")
    log.line(props.computed("network", words[0], words[1], DEFAULTS[words[1]]))


def facts(app: str) -> report.Facts:
    own = {name: props.get("network", app, name) for name in DEFAULTS}
    computed = {
        f"computed-{name}": props.computed("network", app, name, value) for name, value in DEFAULTS.items()
    }
    return {**own, **computed}


show = report.command("network", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("network"),
    "network-get-property": network_get_property,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the networks of apps"),
    "report": (show, "[<app>] [<flag>], Show the networks of apps"),
    "set": (
        report.setter("network", list(DEFAULTS)),
        "<app>|--global <property> (<value>), Set or clear a network property",
    ),
}
