"""scheduler-proxy-config and -logs: what the ingress controller has for the app. Only with the proxy type k3s.

Here for ingress-nginx; for Traefik in operations/proxy_traefik.py.
"""

import re
from collections.abc import Iterable

from scheduler_k3s import log, pods, settings
from scheduler_k3s.dokku import facts, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import proxy_traefik, target
from scheduler_k3s.operations.enter import execute
from scheduler_k3s.tools import remote
from scheduler_k3s.tools.cluster import Cluster, name

_PODS = "/api/v1/namespaces/ingress-nginx/pods"
_CONTROLLER = "controller"
_FILE = "/etc/nginx/nginx.conf"


def config(app: str) -> None:
    """Print the server blocks of the app's domains. Errors: PluginError."""
    if _is_traefik():
        proxy_traefik.config(app)
        return
    cluster = target.cluster()
    parts: list[bytes] = []

    def take(channel: int, data: bytes) -> None:
        if channel == remote.STDOUT:
            parts.append(data)

    session = remote.execute(cluster, _pod(cluster), _CONTROLLER, ["cat", _FILE], tty=False, stdin=False)
    try:
        ended = session.run(take)
    finally:
        session.close()
    if ended.code != 0:
        raise PluginError(f"Unable to read {_FILE} of ingress-nginx: {ended.message or ended.code}")
    domains = triggers.ask("domains-list", app).split()
    found = servers(b"".join(parts).decode("utf-8", "replace"), domains)
    if not found:
        log.warn(f"ingress-nginx has no server for {' '.join(domains) or 'an app without domains'}")
    for line in found:
        print(line)


def servers(text: str, domains: Iterable[str]) -> list[str]:
    """The lines between the marks that ingress-nginx puts around the server of each domain."""
    found: list[str] = []
    for domain in domains:
        edge = rf"^\s*## {{}} server {re.escape(domain)}\s*$"
        pattern = f"{edge.format('start')}\n(.*?){edge.format('end')}"
        for block in re.findall(pattern, text, re.DOTALL | re.MULTILINE):
            found += block.splitlines()
    return found


def logs(app: str, kind: str, tail: bool, count: int) -> int:
    """Print or follow the app's access or error log. Errors: PluginError."""
    if _is_traefik():
        return proxy_traefik.logs(app, kind, tail, count)
    path = facts.nginx(app).get(f"{kind}-log-path") or f"/var/log/nginx/{app}-{kind}.log"
    words = ["tail", *(["-F"] if tail else []), *(["-n", str(count)] if count > 0 else []), path]
    cluster = target.cluster()
    return execute(cluster, _pod(cluster), _CONTROLLER, words)


def _is_traefik() -> bool:
    return settings.value(settings.GLOBAL, "ingress-class") == "traefik"


def _pod(cluster: Cluster) -> str:
    found = sorted(cluster.list(_PODS, labels="app.kubernetes.io/name=ingress-nginx"), key=pods.name)
    if not found:
        raise PluginError("No pods found for ingress-nginx")
    return f"{_PODS}/{name(pods.name(found[0]))}"
