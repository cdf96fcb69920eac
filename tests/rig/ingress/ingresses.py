"""Ingresses of class nginx, read as ingress-nginx reads them."""

import re
from collections.abc import Iterator, Mapping

from rig.ingress import backends
from rig.ingress.model import ANY_HOST, HTTP, HTTPS, Host, Location, Object, World

CLASS = "nginx"
_PREFIX = "nginx.ingress.kubernetes.io/"
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_BOTH = (HTTP, HTTPS)


def is_ours(ingress: Object) -> bool:
    annotations = ingress["metadata"].get("annotations") or {}
    return CLASS in (ingress["spec"].get("ingressClassName"), annotations.get(_CLASS_ANNOTATION))


def hosts(ingress: Object, world: World) -> list[Host]:
    """One per rule; a rule without a host answers for every name that no other has."""
    namespace = ingress["metadata"]["namespace"]
    annotations = _annotations(ingress)
    found = []
    for rule in ingress["spec"].get("rules") or []:
        name = (rule.get("host") or ANY_HOST).lower()
        secret = _secret_name(ingress, name)
        directives = _directives(annotations, with_tls=secret is not None)
        paths = (rule.get("http") or {}).get("paths") or []
        locations = [
            Location(
                pattern,
                _endpoints(world, namespace, path),
                annotations.get("backend-protocol", "http").lower(),
                directives,
                annotations.get("configuration-snippet", ""),
            )
            for path in paths
            for pattern in _patterns(path)
        ]
        pem = backends.certificate(world, namespace, secret) if secret else None
        snippet = annotations.get("server-snippet", "")
        found.append(Host(name, _BOTH, tuple(locations), pem, snippet, _server_name(name)))
    return found


def _annotations(ingress: Object) -> dict[str, str]:
    annotations = ingress["metadata"].get("annotations") or {}
    return {key.removeprefix(_PREFIX): value for key, value in annotations.items() if key.startswith(_PREFIX)}


def _endpoints(world: World, namespace: str, path: Object) -> tuple[str, ...]:
    service = path["backend"].get("service") or {}
    port = service.get("port") or {}
    return backends.endpoints(
        world, namespace, service.get("name", ""), port.get("name") or port.get("number", 0)
    )


def _secret_name(ingress: Object, host: str) -> str | None:
    """The secret of the first `tls` entry for this host; an entry without hosts stands for all of them."""
    for entry in ingress["spec"].get("tls") or []:
        if not entry.get("hosts") or host in [name.lower() for name in entry["hosts"]]:
            return str(entry.get("secretName", ""))
    return None


def _server_name(host: str) -> str:
    """A wildcard stands for exactly one label."""
    if host.startswith("*."):
        return rf'"~^(?<subdomain>[\w-]+)\.{re.escape(host[2:])}$"'
    return host if host != ANY_HOST else '"~."'


def _patterns(path: Object) -> Iterator[str]:
    text = path.get("path") or "/"
    if path["pathType"] == "Exact":
        yield f"= {text}"
    elif path["pathType"] == "Prefix" and text != "/":
        yield f"= {text.rstrip('/')}"
        yield f"{text.rstrip('/')}/"
    else:
        yield text


def _directives(annotations: Mapping[str, str], *, with_tls: bool) -> tuple[str, ...]:
    """What the controller itself writes into a location, with ingress-nginx' defaults."""

    def value(name: str, default: str) -> str:
        return annotations.get(name, default)

    over_tls_only = with_tls and value("ssl-redirect", "true") == "true"
    redirect = over_tls_only or value("force-ssl-redirect", "") == "true"
    return (
        *(["if ($scheme = http) { return 308 https://$host$request_uri; }"] if redirect else []),
        f"client_max_body_size {value('proxy-body-size', '1m')};",
        f"proxy_connect_timeout {value('proxy-connect-timeout', '5')}s;",
        f"proxy_send_timeout {value('proxy-send-timeout', '60')}s;",
        f"proxy_read_timeout {value('proxy-read-timeout', '60')}s;",
        f"proxy_buffering {value('proxy-buffering', 'off')};",
        f"proxy_buffer_size {value('proxy-buffer-size', '4k')};",
        f"proxy_buffers {value('proxy-buffers-number', '4')} {value('proxy-buffer-size', '4k')};",
        f"proxy_request_buffering {value('proxy-request-buffering', 'on')};",
    )
