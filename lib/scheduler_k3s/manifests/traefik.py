"""Traefik's objects, for the ingress class traefik: IngressRoutes, and the Middlewares that they name."""

from scheduler_k3s import domains
from scheduler_k3s.app import App, Port, Process, distinct
from scheduler_k3s.manifests.metadata import Object, metadata, triplet

API_VERSION = "traefik.io/v1alpha1"
COMPRESSION, REDIRECT = "compression", "redirect-to-https"
WEB, WEBSECURE = "web", "websecure"


def routes(app: App, process: Process) -> list[Object]:
    """A pair of IngressRoutes per port, without TLS one; and two Middlewares. Nothing without a domain."""
    if not app.domains:
        return []
    https = {"scheme": "https", "permanent": True}
    made = [
        _middleware(app, process, COMPRESSION, {"compress": {}}),
        _middleware(app, process, REDIRECT, {"redirectScheme": https}),
    ]
    for port in distinct(process.ports):
        made.append(_route(app, process, port, WEB))
        if app.tls.secret:
            made.append(_route(app, process, port, WEBSECURE))
    return made


def _middleware(app: App, process: Process, part: str, spec: Object) -> Object:
    name = f"{app.name}-{process.type}-{part}"
    labels = {**triplet(app.name, process.type), "app.kubernetes.io/instance": name}
    return {
        "apiVersion": API_VERSION,
        "kind": "Middleware",
        "metadata": metadata(app, "traefik_middleware", name, process=process.type, labels=labels),
        "spec": spec,
    }


def _route(app: App, process: Process, port: Port, entry_point: str) -> Object:
    service = f"{app.name}-{process.type}"
    parts = [COMPRESSION, REDIRECT] if app.tls.secret and entry_point == WEB else [COMPRESSION]
    rule: Object = {
        "middlewares": [{"name": f"{service}-{part}", "namespace": app.namespace} for part in parts],
        "services": [
            {
                "name": service,
                "namespace": app.namespace,
                "passHostHeader": True,
                "port": port.name,
                "scheme": "http",
            }
        ],
    }
    spec: Object = {
        "entryPoints": [entry_point],
        "routes": [{**_match(domain, app.traefik_syntax), **rule} for domain in app.domains],
    }
    if entry_point == WEBSECURE:
        spec["tls"] = {"secretName": app.tls.secret}
    name = f"{service}-{port.name}" + ("-websecure" if entry_point == WEBSECURE else "")
    return {
        "apiVersion": API_VERSION,
        "kind": "IngressRoute",
        "metadata": metadata(
            app,
            "traefik_ingressroute",
            name,
            process=process.type,
            labels=triplet(app.name, process.type),
        ),
        "spec": spec,
    }


def _match(domain: str, names_syntax: bool) -> Object:
    """A wildcard stands for one label and comes after any domain that is spelled out.

    Its matcher is that of version 2, which version 3 reads as such only when told so.
    """
    host = domains.host(domain)
    if not host.startswith(domains.WILDCARD):
        return {"kind": "Rule", "match": f"Host(`{host}`)"}
    match = f"HostRegexp(`{{subdomain:[^.]+}}.{host.removeprefix(domains.WILDCARD)}`)"
    syntax = {"syntax": "v2"} if names_syntax else {}
    return {"kind": "Rule", "match": match, "priority": 1, **syntax}
