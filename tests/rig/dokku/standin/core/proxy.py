"""proxy: whether requests reach an app through a proxy, and which."""

from .. import apps, args, lifecycle, log, props, report, triggers
from ..kinds import Commands, Handler, Triggers

DESCRIPTION = "dokku core proxy plugin"
SETTINGS = ["proxy-port", "proxy-ssl-port", "type"]


def is_enabled(app: str) -> bool:
    return props.get("proxy", app, "disabled") != "true"


def proxy_type(app: str) -> str:
    return props.computed("proxy", app, "type", "nginx")


def proxy_is_enabled(words: list[str]) -> None:
    log.line("true" if is_enabled(words[0]) else "false")


def proxy_type_trigger(words: list[str]) -> None:
    log.line(proxy_type(words[0]))


_store = report.setter("proxy", SETTINGS)


def set_command(words: list[str]) -> None:
    """Also in the short form: <app|--global> <proxy type>."""
    given = [word for word in words if word != "--quiet"]
    _store([given[0], "type", given[1]] if len(given) == 2 and given[1] not in SETTINGS else given)


def _switch(trigger: str, value: str) -> Handler:
    def handle(words: list[str]) -> None:
        app = apps.verify(args.parse(words, "no-restart").word(0))
        props.put_or_delete("proxy", app, "disabled", value)
        triggers.go(trigger, app)

    return handle


def _config(trigger: str) -> Handler:
    def handle(words: list[str]) -> None:
        parsed = args.parse(words, "all")
        if parsed.on("all") and trigger == "proxy-clear-config":
            triggers.go(trigger, "--all")
            return
        for app in apps.verified_all() if parsed.on("all") else [apps.verify(parsed.word(0))]:
            triggers.go(trigger, app)

    return handle


def facts(app: str) -> report.Facts:
    return {
        "computed-type": proxy_type(app),
        "enabled": "true" if is_enabled(app) else "false",
        "global-type": props.get("proxy", props.GLOBAL, "type", "nginx"),
        "type": props.get("proxy", app, "type"),
        **{name: props.get("proxy", app, name) for name in ("proxy-port", "proxy-ssl-port")},
    }


show = report.command("proxy", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("proxy"),
    "proxy-is-enabled": proxy_is_enabled,
    "proxy-type": proxy_type_trigger,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the proxy settings of apps"),
    "build-config": (_config("proxy-build-config"), "[--all] <app>, Write an app's proxy configuration"),
    "clear-config": (_config("proxy-clear-config"), "[--all] <app>, Remove an app's proxy configuration"),
    "disable": (_switch("proxy-disable", "true"), "<app>, Let no proxy lead to an app"),
    "enable": (_switch("proxy-enable", ""), "<app>, Let the proxy lead to an app again"),
    "report": (show, "[<app>] [<flag>], Show the proxy settings of apps"),
    "set": (set_command, "<app>|--global [<property>] <value>, Set the proxy type or another property"),
}
