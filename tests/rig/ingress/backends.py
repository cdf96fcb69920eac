"""From a Service's name and port to the addresses of its ready pods."""

import base64
from collections.abc import Iterator

from rig.ingress.model import Object, World

_SERVICE_NAME = "kubernetes.io/service-name"
_CLUSTER_SUFFIX = ".svc.cluster.local"


def endpoints(world: World, namespace: str, name: str, port: str | int) -> tuple[str, ...]:
    """`address:port` of each ready pod; empty when the service, its port or a ready pod is missing.

    A service that is only another name for one of this cluster stands for that one.
    """
    service = world.get("Service", namespace, name)
    if service is None:
        return ()
    alias = service["spec"].get("externalName", "")
    if alias.endswith(_CLUSTER_SUFFIX):
        target, _, target_namespace = alias.removesuffix(_CLUSTER_SUFFIX).partition(".")
        return endpoints(world, target_namespace, target, port)
    ports = service["spec"].get("ports", [])
    found = next((entry for entry in ports if port in (entry.get("name"), entry["port"])), None)
    if found is None:
        return ()
    return tuple(sorted(set(_addresses(world, namespace, name, found.get("name", "")))))


def _addresses(world: World, namespace: str, service: str, port_name: str) -> Iterator[str]:
    for piece in world.all("EndpointSlice"):
        if (piece["metadata"].get("labels") or {}).get(_SERVICE_NAME) != service:
            continue
        if piece["metadata"]["namespace"] != namespace:
            continue
        ports = [port["port"] for port in piece.get("ports") or [] if (port.get("name") or "") == port_name]
        for endpoint in piece.get("endpoints") or []:
            if endpoint.get("conditions", {}).get("ready", True):
                yield from (f"{address}:{port}" for address in endpoint["addresses"] for port in ports)


def certificate(world: World, namespace: str, name: str) -> str | None:
    """Chain and key of a TLS secret as one PEM; None when there is none."""
    secret: Object | None = world.get("Secret", namespace, name)
    data = (secret or {}).get("data") or {}
    if "tls.crt" not in data or "tls.key" not in data:
        return None
    return "\n".join(base64.b64decode(data[file]).decode(errors="replace") for file in ("tls.crt", "tls.key"))
