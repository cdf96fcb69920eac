"""Which host is routed to whom, read from the routes that are in the cluster."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.metadata import MANAGED, Object
from scheduler_k3s.tools.resources import OWNER

_HOST = re.compile(r"\bHost\(`([^`]+)`\)")
_WILDCARD = re.compile(r"\bHostRegexp\(`\{\w+:\[\^\.\]\+\}\.([^`]+)`\)")


class Claim(NamedTuple):
    """A route to a host. `app` is the dokku app that made it, empty when it was not dokku."""

    host: str
    app: str
    kind: str
    namespace: str
    name: str


def read(items: Iterable[Object], kind: str) -> list[Claim]:
    """The hosts that Ingresses or IngressRoutes (`kind`) route as a whole; those on their way out do not count."""
    found = []
    for item in items:
        metadata = item["metadata"]
        if metadata.get("deletionTimestamp"):
            continue
        annotations = metadata.get("annotations") or {}
        app = annotations.get(OWNER, "") if annotations.items() >= MANAGED.items() else ""
        hosts = set(_ingress_hosts(item) if kind == "Ingress" else _route_hosts(item))
        found += [Claim(host, app, kind, metadata["namespace"], metadata["name"]) for host in sorted(hosts)]
    return found


def check(app: str, hosts: Mapping[str, str], claims: Sequence[Claim]) -> list[str]:
    """`hosts` maps each host of the app to its domain in dokku.

    Errors: PluginError for one that another app of dokku holds; it is only warned of when this app holds it too,
    or when it was not dokku who routes it.
    """
    own = {claim.host for claim in claims if claim.app == app}
    told = []
    for claim in claims:
        if claim.app == app or claim.host not in hosts:
            continue
        domain = hosts[claim.host]
        if not claim.app:
            told.append(
                f"Domain {domain} of {app} is also routed by {claim.kind} {claim.name} in namespace "
                f"{claim.namespace}, which dokku did not make"
            )
        elif claim.host in own:
            told.append(
                f"Domain {domain} is routed to both {claim.app} and {app}: {_way_out(claim.app, domain)}"
            )
        else:
            raise PluginError(
                f"Domain {domain} of {app} belongs to app {claim.app} already ({claim.kind} {claim.name} in namespace "
                f"{claim.namespace}). Use another one: {_way_out(app, domain)}, or take it from the other app: "
                f"{_way_out(claim.app, domain)}; dokku ps:restart {claim.app}"
            )
    return told


def _way_out(app: str, domain: str) -> str:
    return f"dokku domains:remove {app} {domain}"


def _ingress_hosts(item: Object) -> Iterator[str]:
    """A rule for a path below the root is part of another's host: an answer to letsencrypt, for one."""
    for rule in item["spec"].get("rules") or []:
        paths = (rule.get("http") or {}).get("paths") or []
        if rule.get("host") and any((path.get("path") or "/") == "/" for path in paths):
            yield str(rule["host"])


def _route_hosts(item: Object) -> Iterator[str]:
    for rule in item["spec"].get("routes") or []:
        match = str(rule.get("match") or "")
        if "Path" not in match:
            yield from _HOST.findall(match)
            yield from (f"*.{rest}" for rest in _WILDCARD.findall(match))
