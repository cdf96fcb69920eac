"""What the routes of one object come to, before it is nginx configuration. Plain values, comparable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]

HTTP, HTTPS = "http", "https"
ANY_HOST = "_"


class RouteError(Exception):
    """An object asks for something that this controller does not know; the message names it."""


@dataclass(frozen=True)
class Location:
    """`pattern` is what stands between `location` and `{`; no endpoints: 503."""

    pattern: str
    endpoints: tuple[str, ...]
    upstream_scheme: str = "http"
    directives: tuple[str, ...] = ()
    snippet: str = ""


@dataclass(frozen=True)
class Host:
    """One host of one object. `certificate` is a PEM with chain and key; None is the controller's own."""

    name: str
    entry_points: tuple[str, ...]
    locations: tuple[Location, ...]
    certificate: str | None = None
    snippet: str = ""
    server_name: str = ""


@dataclass
class World:
    """The cluster as last seen: kind -> (namespace, name) -> object. `traefik` is the version that is served."""

    objects: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)
    traefik: int = 3

    def all(self, kind: str) -> Iterable[Object]:
        """The objects of a kind, the oldest first: of two claims to a path the older one holds."""
        return sorted(self.objects.get(kind, {}).values(), key=_age)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.objects.get(kind, {}).get((namespace, name))


def key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _age(item: Object) -> tuple[str, str, str]:
    return item["metadata"].get("creationTimestamp") or "", *key(item)
