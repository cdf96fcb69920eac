"""nginx-vhosts: the nginx settings of apps, and a configuration file that no nginx reads here."""

import os

from .. import apps, args, host, lifecycle, props, report, triggers
from ..kinds import Commands, Handler, Triggers
from . import domains, proxy

DESCRIPTION = "dokku core nginx-vhosts plugin"
PAGE = os.sysconf("SC_PAGE_SIZE") // 1024
DEFAULTS = {
    "access-log-format": "",
    "access-log-path": "/var/log/nginx/{app}-access.log",
    "bind-address-ipv4": "",
    "bind-address-ipv6": "::",
    "client-body-timeout": "60s",
    "client-header-timeout": "60s",
    "client-max-body-size": "1m",
    "disable-custom-config": "false",
    "error-log-path": "/var/log/nginx/{app}-error.log",
    "hsts": "true",
    "hsts-include-subdomains": "true",
    "hsts-max-age": "15724800",
    "hsts-preload": "false",
    "keepalive-timeout": "75s",
    "lingering-timeout": "5s",
    "nginx-conf-sigil-path": "nginx.conf.sigil",
    "nginx-service-command": "",
    "proxy-buffer-size": f"{PAGE}k",
    "proxy-buffering": "on",
    "proxy-buffers": f"8 {PAGE}k",
    "proxy-busy-buffers-size": f"{2 * PAGE}k",
    "proxy-connect-timeout": "60s",
    "proxy-keepalive": "",
    "proxy-read-timeout": "60s",
    "proxy-send-timeout": "60s",
    "send-timeout": "60s",
    "underscore-in-headers": "off",
    "x-forwarded-for-value": "$remote_addr",
    "x-forwarded-port-value": "$server_port",
    "x-forwarded-proto-value": "$scheme",
    "x-forwarded-ssl": "",
}


def _default(app: str, name: str) -> str:
    return DEFAULTS[name].replace("{app}", app)


def facts(app: str) -> report.Facts:
    own = {name: props.get("nginx", app, name) for name in DEFAULTS}
    shared = {
        f"global-{name}": props.get("nginx", props.GLOBAL, name, _default(app, name)) for name in DEFAULTS
    }
    computed = {
        f"computed-{name}": props.computed("nginx", app, name, _default(app, name)) for name in DEFAULTS
    }
    return {**own, **shared, **computed}


def _clear(app: str) -> None:
    host.remove(host.root(app, "nginx.conf"))


def build(app: str) -> None:
    names = domains.listed(app)
    if proxy.proxy_type(app) != "nginx" or not proxy.is_enabled(app) or not names:
        _clear(app)
        return
    lines = [f"  {listen}" for listen in ("listen 80;", f"server_name {' '.join(names)};")]
    host.write(host.root(app, "nginx.conf"), "server {\n" + "\n".join(lines) + "\n}\n")


def build_trigger(words: list[str]) -> None:
    build(words[0])


def clear_trigger(words: list[str]) -> None:
    for app in apps.everything() if words[0] == "--all" else [words[0]]:
        _clear(app)


def _other_scheduler(app: str) -> str:
    """The scheduler that knows the app's proxy, unless this plugin does itself."""
    scheduler = triggers.scheduler(app)
    return "" if scheduler in ("docker-local", "null") else scheduler


def show_config(words: list[str]) -> int:
    app = apps.verify(args.parse(words).word(0))
    if scheduler := _other_scheduler(app):
        return triggers.fire("scheduler-proxy-config", scheduler, app, proxy.proxy_type(app))
    print(host.read(host.root(app, "nginx.conf")), end="", flush=True)
    return 0


def _logs(kind: str) -> Handler:
    def handle(words: list[str]) -> int:
        parsed = args.parse(words, "tail|t")
        app = apps.verify(parsed.word(0))
        tail, number = ("true", "0") if parsed.on("tail") else ("false", "20")
        if scheduler := _other_scheduler(app):
            return triggers.fire(
                "scheduler-proxy-logs", scheduler, app, proxy.proxy_type(app), kind, tail, number
            )
        return 0

    return handle


show = report.command("nginx", facts)
LIFECYCLE = lifecycle.of("nginx")

TRIGGERS: Triggers = {
    **LIFECYCLE,
    "core-post-deploy": build_trigger,
    "proxy-build-config": build_trigger,
    "proxy-clear-config": clear_trigger,
    "proxy-disable": build_trigger,
    "proxy-enable": build_trigger,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the nginx settings of apps"),
    "access-logs": (_logs("access"), "<app> [-t], Show an app's access log"),
    "error-logs": (_logs("error"), "<app> [-t], Show an app's error log"),
    "report": (show, "[<app>] [<flag>], Show the nginx settings of apps"),
    "set": (
        report.setter("nginx", list(DEFAULTS)),
        "<app>|--global <property> (<value>), Set or clear an nginx property",
    ),
    "show-config": (show_config, "<app>, Show an app's proxy configuration"),
}
