"""Traefik's IngressRoutes, in the matchers of its versions 2 and 3."""

import re
from collections.abc import Iterator
from typing import Any

from rig.ingress import backends
from rig.ingress.model import HTTP, HTTPS, Host, Location, Object, RouteError, World

_ENTRY_POINTS = {"web": HTTP, "websecure": HTTPS}
_MATCHER = re.compile(r"(\w+)\(([^)]*)\)")
_WORDS = re.compile(r"`([^`]*)`")
_VARIABLE = re.compile(r"\{(?:\w+:)?([^}]*)\}")


def hosts(route: Object, world: World) -> list[Host]:
    """One per host that a rule names. Raises RouteError for a matcher or a middleware that is not known here."""
    spec = route["spec"]
    entry_points = tuple(_ENTRY_POINTS[name] for name in spec.get("entryPoints") or _ENTRY_POINTS)
    namespace = route["metadata"]["namespace"]
    tls = spec.get("tls") or {}
    pem = backends.certificate(world, namespace, tls["secretName"]) if tls.get("secretName") else None
    found = []
    for rule in spec.get("routes") or []:
        directives = tuple(
            line for item in rule.get("middlewares") or [] for line in _middleware(item, namespace, world)
        )
        targets = tuple(sorted(_endpoints(rule, namespace, world)))
        scheme = next((service.get("scheme", "http") for service in rule.get("services") or []), "http")
        names, patterns = _match(rule, world.traefik)
        locations = tuple(Location(pattern, targets, scheme, directives) for pattern in patterns)
        found += [Host(name, entry_points, locations, pem, "", server_name) for name, server_name in names]
    return found


def _endpoints(rule: Object, namespace: str, world: World) -> Iterator[str]:
    for service in rule.get("services") or []:
        place = service.get("namespace", namespace)
        yield from backends.endpoints(world, place, service["name"], service.get("port", 0))


def _match(rule: Object, traefik: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Host names with their nginx server names, and location patterns, of a rule's `match`."""
    text = rule["match"]
    version = {"v2": 2, "v3": 3}.get(rule.get("syntax", ""), traefik)
    names: list[tuple[str, str]] = []
    patterns: list[str] = []
    for matcher, arguments in _MATCHER.findall(text):
        words = _WORDS.findall(arguments)
        if matcher == "Host":
            names += [(word.lower(), word.lower()) for word in words]
        elif matcher == "HostRegexp":
            names += [(word, _server_name(word, version)) for word in words]
        elif matcher in ("Path", "PathPrefix"):
            patterns += [f"= {word}" if matcher == "Path" else word for word in words]
        else:
            raise RouteError(f"the matcher {matcher} of `{text}` is not known")
    if not names:
        raise RouteError(f"no host in `{text}`")
    return names, patterns or ["/"]


def _server_name(pattern: str, version: int) -> str:
    """Version 2 has regular expressions in braces within plain text, version 3 has one expression."""
    if version == 3:
        return f'"~{pattern}"'
    plain = _VARIABLE.split(pattern)
    pieces = [f"(?:{piece})" if index % 2 else re.escape(piece) for index, piece in enumerate(plain)]
    return f'"~^{"".join(pieces)}$"'


def _middleware(item: Object, namespace: str, world: World) -> Iterator[str]:
    place = item.get("namespace", namespace)
    middleware: Any = world.get("Middleware", place, item["name"])
    if middleware is None:
        raise RouteError(f"the middleware {place}/{item['name']} does not exist")
    for kind, options in middleware["spec"].items():
        if kind == "compress":
            yield "gzip on;"
            yield "gzip_proxied any;"
            yield "gzip_min_length 1024;"
            yield "gzip_types *;"
        elif kind == "redirectScheme":
            yield from _redirect(options)
        else:
            raise RouteError(f"the middleware kind {kind} is not known")


def _redirect(options: Object) -> Iterator[str]:
    """A GET may be answered with the older codes; other methods need those that keep the method."""
    get, other = ("301", "308") if options.get("permanent") else ("302", "307")
    port = f":{options['port']}" if options.get("port") else ""
    target = f"{options['scheme']}://$host{port}$request_uri"
    yield f"if ($request_method = GET) {{ return {get} {target}; }}"
    yield f"return {other} {target};"
