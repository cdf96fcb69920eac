"""Keeps a World as the cluster is, one thread per kind, and says when something changed.

Objects are taken as they come: the client's models refuse some that the API server sends (an EndpointSlice without
endpoints).
"""

import json
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from kubernetes import client
from kubernetes.watch.watch import iter_resp_lines
from urllib3.exceptions import HTTPError

from rig.ingress.model import Object, World, key
from rig.node.objects import traefik_version

_SECONDS_PER_WATCH = 300
_PAUSE_AFTER_ERROR = 1.0


class Watcher:
    """`changed` is set after each change of `world`; read the world only while holding `lock`."""

    def __init__(self) -> None:
        self.world = World()
        self.lock = threading.Lock()
        self.changed = threading.Event()
        self._listed: set[str] = set()
        self._threads: dict[str, threading.Thread] = {}

    def start(self) -> None:
        for kind, call in _calls().items():
            thread = threading.Thread(target=self._follow, args=(kind, call), name=kind, daemon=True)
            self._threads[kind] = thread
            thread.start()

    def is_complete(self) -> bool:
        """Whether every kind was listed once."""
        return self._listed >= self._threads.keys()

    def is_alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads.values())

    def _follow(self, kind: str, call: Callable[..., Any]) -> None:
        while True:
            try:
                self._follow_once(kind, call)
            except client.ApiException as error:
                if error.status == 404:  # the definition is not in the cluster
                    self._replace(kind, [])
                time.sleep(_PAUSE_AFTER_ERROR)
            except (HTTPError, OSError):
                time.sleep(_PAUSE_AFTER_ERROR)

    def _follow_once(self, kind: str, call: Callable[..., Any]) -> None:
        answer = json.loads(call(_preload_content=False).data)
        if kind == "IngressRoute":
            self.world.traefik = traefik_version() or 3
        self._replace(kind, answer["items"])
        options = {
            "resource_version": answer["metadata"]["resourceVersion"],
            "timeout_seconds": _SECONDS_PER_WATCH,
        }
        for line in iter_resp_lines(call(watch=True, _preload_content=False, **options)):
            event = json.loads(line)
            item = event["object"]
            if event["type"] == "ERROR":
                return
            with self.lock:
                objects = self.world.objects[kind]
                if event["type"] == "DELETED":
                    objects.pop(key(item), None)
                else:
                    objects[key(item)] = item
            self.changed.set()

    def _replace(self, kind: str, items: list[dict[str, Any]]) -> None:
        with self.lock:
            fresh: dict[tuple[str, str], Object] = {key(item): item for item in items}
            is_new = fresh != self.world.objects.get(kind)
            self.world.objects[kind] = fresh
            self._listed.add(kind)
        if is_new:
            self.changed.set()


def _calls() -> dict[str, Callable[..., Any]]:
    """kind -> the client's method that lists and watches it in all namespaces."""
    core = client.CoreV1Api()
    custom = client.CustomObjectsApi()

    def traefik(plural: str) -> Callable[..., Any]:
        return partial(custom.list_cluster_custom_object, "traefik.io", "v1alpha1", plural)

    return {
        "EndpointSlice": client.DiscoveryV1Api().list_endpoint_slice_for_all_namespaces,
        "Ingress": client.NetworkingV1Api().list_ingress_for_all_namespaces,
        "IngressRoute": traefik("ingressroutes"),
        "Middleware": traefik("middlewares"),
        "Secret": partial(core.list_secret_for_all_namespaces, field_selector="type=kubernetes.io/tls"),
        "Service": core.list_service_for_all_namespaces,
    }
