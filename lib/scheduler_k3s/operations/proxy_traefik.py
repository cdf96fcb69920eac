"""scheduler-proxy-config and -logs where Traefik routes: its objects for the app, and what its log says of them.

Traefik has one log for all, on its stdout. A line of the access log names the router, which is made of the
IngressRoute's namespace and name; a line of its own log names the IngressRoute.
"""

import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterator

from scheduler_k3s import log, pods
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.traefik import API_VERSION
from scheduler_k3s.operations import place
from scheduler_k3s.operations.place import Place
from scheduler_k3s.pods import Pod
from scheduler_k3s.tools.cluster import Cluster, Object, name

_PODS = "app.kubernetes.io/name=traefik"
_ERROR = re.compile(rb'\bERR\b|level=error|"level":"error"')
_SWITCH = "dokku scheduler-k3s:charts:set traefik.logs.access.enabled true"


def config(app: str) -> None:
    """Print the app's IngressRoutes and Middlewares as JSON. Errors: PluginError."""
    where = place.of(app)
    cluster = where.cluster()
    found = [
        item for kind in ("ingressroutes", "middlewares") for item in _objects(cluster, where, app, kind)
    ]
    if not found:
        raise PluginError(f"No routes of app {app} found in namespace {where.namespace}")
    print(json.dumps([_plain(item) for item in found], indent=4, sort_keys=True))


def logs(app: str, kind: str, tail: bool, count: int) -> int:
    """Print or follow what Traefik's log says of the app. Errors: PluginError."""
    where = place.of(app)
    cluster = where.cluster()
    routes = [str(item["metadata"]["name"]) for item in _objects(cluster, where, app, "ingressroutes")]
    if not routes:
        raise PluginError(f"No routes of app {app} found in namespace {where.namespace}")
    is_wanted = matcher(kind, where.namespace, routes)
    pod = _pod(cluster)
    printed = _print(_lines(cluster, pod, tail), is_wanted, 0 if tail else count)
    if not printed and kind == "access":
        log.warn(
            f"Nothing about {app} in the log of pod {pods.name(pod)}. An access log is written after: {_SWITCH}"
        )
    return 0


def matcher(kind: str, namespace: str, routes: list[str]) -> Callable[[bytes], bool]:
    """Whether a line of Traefik's log is of that kind (access, error) and about one of these IngressRoutes."""
    names = "|".join(re.escape(route) for route in routes)
    if kind == "access":
        router = re.compile(rf'"{re.escape(namespace)}-(?:{names})-[0-9a-f]+@kubernetescrd"'.encode())
        return lambda line: router.search(line) is not None
    route = re.compile(
        rf"(?<![\w.-])(?:{re.escape(namespace)}-)?(?:{names})(?:-[0-9a-f]+)?(?![\w.-])".encode()
    )
    return lambda line: _ERROR.search(line) is not None and route.search(line) is not None


def _print(lines: Iterator[bytes], is_wanted: Callable[[bytes], bool], count: int) -> int:
    """How many lines were printed: the last `count`, or with 0 all, as they come."""
    found = (line for line in lines if is_wanted(line))
    printed = 0
    for line in deque(found, count) if count else found:
        os.write(1, line + b"\n")
        printed += 1
    return printed


def _lines(cluster: Cluster, pod: Pod, follow: bool) -> Iterator[bytes]:
    path = f"/api/v1/namespaces/{name(pod['metadata']['namespace'])}/pods/{name(pods.name(pod))}/log"
    query: dict[str, str | int] = {"container": pods.container(pod)}
    if follow:
        query["follow"] = "true"
    with cluster.stream(path, None if follow else 60.0, **query) as answer:
        try:
            yield from answer
        except OSError as error:
            reason = error.strerror or str(error)
            log.warn(f"The log of pod {pods.name(pod)} is not complete, the connection broke: {reason}")


def _pod(cluster: Cluster) -> Pod:
    found = [pod for pod in cluster.list("/api/v1/pods", labels=_PODS) if pods.running(pod)]
    if not found:
        raise PluginError("No running pods found for traefik, in any namespace")
    return min(found, key=lambda pod: (pod["metadata"]["namespace"], pods.name(pod)))


def _objects(cluster: Cluster, where: Place, app: str, kind: str) -> list[Object]:
    path = f"/apis/{API_VERSION}/namespaces/{name(where.namespace)}/{kind}"
    return cluster.list(path, labels=f"app.kubernetes.io/part-of={app}")


def _plain(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    return {**item, "metadata": metadata}
