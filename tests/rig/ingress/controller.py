"""Brings the cluster's routes into nginx; what nginx refuses is left out and reported, the rest is served."""

import time
from collections.abc import Callable

from rig.ingress import gateway, ingresses, reports, traefik
from rig.ingress.configuration import Settings
from rig.ingress.model import Host, Object, RouteError, World, key
from rig.ingress.watch import Watcher

_SETTLE_SECONDS = 0.1

Source = tuple[str, str, str]  # kind, namespace, name
_READERS: dict[str, Callable[[Object, World], list[Host]]] = {
    "Ingress": ingresses.hosts,
    "IngressRoute": traefik.hosts,
}


class Controller:
    """Remembers per object what of it is in service, so that a refused change leaves the last good one there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.watcher = Watcher()
        self._in_service: dict[Source, list[Host]] = {}
        self._refused: dict[Source, str] = {}

    def run(self) -> None:
        self.watcher.start()
        while True:
            self.watcher.changed.wait()
            time.sleep(_SETTLE_SECONDS)
            self.watcher.changed.clear()
            if self.watcher.is_complete():
                self.sync()

    def sync(self) -> None:
        with self.watcher.lock:
            sources = _sources(self.watcher.world)
            wanted, refused = _read(sources, self.watcher.world)
        kept = {source: self._in_service[source] for source in refused if source in self._in_service}
        try:
            changed = gateway.apply(_flat(sources, {**wanted, **kept}), self.settings)
            self._in_service = {**wanted, **kept}
        except gateway.RefusedError:
            refused |= self._apply_one_by_one(sources, wanted, kept)
            changed = True
        self._report(sources, refused)
        if changed:
            print(f"in service: {len(self._in_service)} routes, refused: {len(refused)}", flush=True)

    def _apply_one_by_one(
        self, sources: dict[Source, Object], wanted: dict[Source, list[Host]], kept: dict[Source, list[Host]]
    ) -> dict[Source, str]:
        """Takes each change that nginx accepts into what is in service; returns what it said to the others."""
        good = {source: hosts for source, hosts in self._in_service.items() if source in sources}
        good |= kept
        refused = {}
        for source, hosts in wanted.items():
            if good.get(source) == hosts:
                continue
            try:
                gateway.check(_flat(sources, {**good, source: hosts}), self.settings)
                good[source] = hosts
            except gateway.RefusedError as error:
                refused[source] = str(error)
        try:
            gateway.apply(_flat(sources, good), self.settings)
            self._in_service = good
        except gateway.RefusedError as error:
            print(f"nginx keeps its configuration: {error}", flush=True)
        return refused

    def _report(self, sources: dict[Source, Object], refused: dict[Source, str]) -> None:
        for source, reason in refused.items():
            if self._refused.get(source) != reason:
                print(f"refused {'/'.join(source)}: {reason}", flush=True)
                reports.refusal(sources[source], source[0], reason)
        self._refused = refused
        for source, item in sources.items():
            if source[0] == "Ingress" and source in self._in_service:
                reports.address(item, self.settings.address)


def _sources(world: World) -> dict[Source, Object]:
    found: dict[Source, Object] = {}
    for kind in _READERS:
        for item in world.all(kind):
            if kind != "Ingress" or ingresses.is_ours(item):
                namespace, name = key(item)
                found[kind, namespace, name] = item
    return found


def _read(sources: dict[Source, Object], world: World) -> tuple[dict[Source, list[Host]], dict[Source, str]]:
    wanted: dict[Source, list[Host]] = {}
    refused: dict[Source, str] = {}
    for source, item in sources.items():
        try:
            wanted[source] = _READERS[source[0]](item, world)
        except (RouteError, KeyError) as error:
            refused[source] = str(error)
    return wanted, refused


def _flat(sources: dict[Source, Object], hosts: dict[Source, list[Host]]) -> list[Host]:
    """In the order of the sources, which is that of their age."""
    return [host for source in sources if source in hosts for host in hosts[source]]
