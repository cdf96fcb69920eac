"""domains: which host names lead to an app."""

import os

from .. import apps, args, host, log, props, report, triggers
from ..kinds import Commands, Handler, Triggers
from ..log import Fail
from . import config

DESCRIPTION = "dokku core domains plugin"


def _file(app: str) -> str:
    return host.root("VHOST") if app == props.GLOBAL else host.root(app, "VHOST")


def stored(app: str) -> list[str]:
    return host.read(_file(app)).split()


def _store(app: str, domains: list[str]) -> None:
    if domains:
        host.write(_file(app), "".join(f"{domain}\n" for domain in dict.fromkeys(domains)))
    else:
        host.remove(_file(app))


def is_enabled(app: str) -> bool:
    return config.load(app).get("NO_VHOST") != "1"


def listed(app: str) -> list[str]:
    return stored(app) if is_enabled(app) else []


def _tell(app: str, action: str, *domains: str) -> None:
    triggers.must_fire("post-domains-update", app, action, *domains)


def _enable_quietly(app: str) -> None:
    """Domains were given to an app that had none: switched on without a restart."""
    if not is_enabled(app):
        config.change(app, {"NO_VHOST": "0"}, [])
        _tell(app, "enable")


def _changer(action: str) -> Handler:
    """add, remove, set and clear, for an app or (<action>-global) for the host."""

    def change(app: str, given: list[str]) -> None:
        if action in ("add", "remove", "set") and not given:
            raise Fail("Please specify at least one domain")
        before = stored(app)
        after = {
            "add": before + given,
            "remove": [domain for domain in before if domain not in given],
            "set": given,
            "clear": [],
        }[action]
        _store(app, after)
        for domain in given:
            log.step_unless_quiet(f"{action.capitalize()} {domain}")

    def handle(words: list[str]) -> None:
        parsed = args.parse(words, "global")
        app, given = args.scope(parsed)
        change(app, given)
        if app != props.GLOBAL:
            if action in ("add", "set"):
                _enable_quietly(app)
            _tell(app, action, *given)

    return handle


def _global(action: str) -> Handler:
    handle = _changer(action)
    return lambda words: handle([props.GLOBAL, *words])


def enable(words: list[str]) -> None:
    app = apps.verify(args.parse(words, "no-restart").word(0))
    os.environ["DOKKU_QUIET_OUTPUT"] = "1"
    config.change(app, {"NO_VHOST": "0"}, [])
    _tell(app, "enable")
    config.redeploy(app, "--no-restart" not in words)


def disable(words: list[str]) -> None:
    app = apps.verify(args.parse(words, "no-restart").word(0))
    config.change(app, {"NO_VHOST": "1"}, [])
    _tell(app, "disable")


def post_create(words: list[str]) -> None:
    """A new app is a subdomain of each of the host's domains; without any it starts without domains."""
    app = words[0]
    if shared := stored(props.GLOBAL):
        _store(app, [f"{app}.{domain}" for domain in shared])
        triggers.go("post-domains-update", app, "add", *stored(app))
    else:
        config.change(app, {"NO_VHOST": "1"}, [])
        triggers.go("post-domains-update", app, "disable")


def rename(words: list[str]) -> None:
    """Domains move along; those made from the old app's name are made from the new one's."""
    old, new = words
    made = {f"{old}.{domain}": f"{new}.{domain}" for domain in stored(props.GLOBAL)}
    _store(new, [made.get(domain, domain) for domain in stored(old)])


def urls(app: str) -> list[str]:
    """One URL per domain and HTTP port; the ports stand for themselves when 80 or 443."""
    import json

    mappings = json.loads(triggers.ask("ports-get", app, "json"))
    found = []
    for mapping in mappings:
        scheme, port = mapping["scheme"], mapping["host_port"]
        suffix = "" if (scheme, port) in (("http", 80), ("https", 443)) else f":{port}"
        if scheme in ("http", "https"):
            found += [f"{scheme}://{domain}{suffix}" for domain in listed(app)]
    return found


def domains_urls(words: list[str]) -> None:
    found = urls(words[0])
    log.data("\n".join(found[:1] if words[1:2] == ["url"] else found))


def domains_list(words: list[str]) -> None:
    log.data("\n".join(listed(words[0])))


def domains_vhost_enabled(words: list[str]) -> int:
    return 0 if is_enabled(words[0]) else 1


def facts(app: str) -> report.Facts:
    shared = stored(props.GLOBAL)
    return {
        "app-enabled": "true" if is_enabled(app) else "false",
        "app-vhosts": " ".join(listed(app)),
        "global-enabled": "true" if shared else "false",
        "global-vhosts": " ".join(shared),
    }


show = report.command("domains", facts)

TRIGGERS: Triggers = {
    "domains-list": domains_list,
    "domains-urls": domains_urls,
    "domains-vhost-enabled": domains_vhost_enabled,
    "post-app-rename-setup": rename,
    "post-create": post_create,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the domains of apps"),
    "add": (_changer("add"), "<app> <domain> [<domain> ...], Add domains to an app"),
    "add-global": (_global("add"), "<domain> [<domain> ...], Add domains to the host"),
    "clear": (_changer("clear"), "<app>, Remove all domains of an app"),
    "clear-global": (_global("clear"), ", Remove all domains of the host"),
    "disable": (disable, "<app>, Let no domain lead to an app"),
    "enable": (enable, "<app>, Let the domains lead to an app again"),
    "remove": (_changer("remove"), "<app> <domain> [<domain> ...], Remove domains of an app"),
    "remove-global": (_global("remove"), "<domain> [<domain> ...], Remove domains of the host"),
    "report": (show, "[<app>] [<flag>], Show the domains of apps"),
    "set": (_changer("set"), "<app> <domain> [<domain> ...], Replace the domains of an app"),
    "set-global": (_global("set"), "<domain> [<domain> ...], Replace the domains of the host"),
}
