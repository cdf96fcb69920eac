"""ports: which ports of the host lead to which ports of an app."""

import os

from .. import apps, args, host, lifecycle, log, props, report, triggers
from ..kinds import Commands, Handler, Triggers
from ..log import Fail

DESCRIPTION = "dokku core ports plugin"


def _split(mapping: str) -> tuple[str, int, int]:
    """scheme, host port, container port; without the last it equals the host port."""
    scheme, _, ports = mapping.partition(":")
    outer, _, inner = ports.partition(":")
    if not scheme or not outer.isdigit() or not (inner or outer).isdigit():
        raise Fail(f"Invalid port mapping: {mapping}")
    return scheme, int(outer), int(inner or outer)


def _text(mapping: tuple[str, int, int]) -> str:
    return f"{mapping[0]}:{mapping[1]}:{mapping[2]}"


def proxy_port(app: str, name: str) -> int:
    return int(props.computed("proxy", app, name, "0"))


def has_certificate(app: str) -> bool:
    return os.path.isfile(host.root(app, "tls", "server.crt")) and os.path.isfile(
        host.root(app, "tls", "server.key")
    )


def mappings(app: str) -> list[tuple[str, int, int]]:
    """Set ones, else those of the image, else 80 to 5000; with a certificate also its HTTPS counterpart."""
    lines = props.get_list("ports", app, "map") or props.get_list("ports", app, "map-detected")
    found = [_split(line) for line in lines] or [("http", proxy_port(app, "proxy-port") or 80, 5000)]
    if has_certificate(app) and not any(scheme == "https" for scheme, _, _ in found):
        port = proxy_port(app, "proxy-ssl-port") or 443
        plain = [inner for scheme, _, inner in found if scheme == "http"]
        found += [("https", port, inner) for inner in plain[:1]]
    return found


def ports_get(words: list[str]) -> None:
    found = mappings(words[0])
    if words[1:2] == ["json"]:
        items = [
            f'{{"container_port":{inner},"host_port":{outer},"scheme":"{scheme}"}}'
            for scheme, outer, inner in found
        ]
        log.line(f"[{','.join(items)}]")
    else:
        log.data("\n".join(_text(mapping) for mapping in found))


def ports_get_property(words: list[str]) -> None:
    app, name = words[:2]
    if name not in ("proxy-port", "proxy-ssl-port"):
        raise Fail(f"Invalid property specified: {name}")
    log.line(str(proxy_port(app, name)))


def ports_set_detected(words: list[str]) -> None:
    props.put_list("ports", words[0], "map-detected", [_text(_split(word)) for word in words[1:]])


def _store(app: str, found: list[tuple[str, int, int]]) -> None:
    if found:
        props.put_list("ports", app, "map", [_text(mapping) for mapping in dict.fromkeys(found)])
    else:
        props.delete("ports", app, "map")


def _own(app: str) -> list[tuple[str, int, int]]:
    return [_split(line) for line in props.get_list("ports", app, "map")]


def _changer(action: str) -> Handler:
    def handle(words: list[str]) -> None:
        parsed = args.parse(words)
        app = apps.verify(parsed.word(0))
        given = [_split(word) for word in parsed.words[1:]]
        if action != "clear" and not given:
            raise Fail("No port mapping specified")
        before = _own(app)
        after = {"add": before + given, "set": given, "clear": []}
        _store(app, after.get(action, [mapping for mapping in before if mapping not in given]))
        triggers.go("post-proxy-ports-update", app, action)

    return handle


def post_certs_update(words: list[str]) -> None:
    """The first plain mapping gets its HTTPS counterpart, where mappings are set; else ports-get derives it."""
    own = _own(words[0])
    if own and not any(scheme == "https" for scheme, _, _ in own):
        _store(words[0], own + [("https", 443, inner) for scheme, _, inner in own if scheme == "http"][:1])


def post_certs_remove(words: list[str]) -> None:
    _store(words[0], [mapping for mapping in _own(words[0]) if mapping[:2] != ("https", 443)])


def list_command(words: list[str]) -> None:
    app = apps.verify(args.parse(words).word(0))
    log.headline_unless_quiet(f"{app} port mappings")
    log.line("scheme  host port  container port")
    log.data("\n".join(f"{scheme:<8}{outer:<11}{inner}" for scheme, outer, inner in sorted(mappings(app))))


def facts(app: str) -> report.Facts:
    return {
        "map": " ".join(props.get_list("ports", app, "map")),
        "map-detected": " ".join(props.get_list("ports", app, "map-detected")) or "http:80:5000",
    }


show = report.command("ports", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("ports"),
    "ports-get": ports_get,
    "ports-get-property": ports_get_property,
    "ports-set-detected": ports_set_detected,
    "post-certs-remove": post_certs_remove,
    "post-certs-update": post_certs_update,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (list_command, "<app>, List an app's port mappings"),
    "add": (_changer("add"), "<app> <scheme>:<host-port>:<container-port> ..., Add port mappings"),
    "clear": (_changer("clear"), "<app>, Remove all port mappings"),
    "list": (list_command, "<app>, List an app's port mappings"),
    "remove": (_changer("remove"), "<app> <scheme>:<host-port>:<container-port> ..., Remove port mappings"),
    "report": (show, "[<app>] [<flag>], Show the port mappings of apps"),
    "set": (_changer("set"), "<app> <scheme>:<host-port>:<container-port> ..., Replace port mappings"),
}
