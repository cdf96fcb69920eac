"""What the controller tells the cluster: an Ingress's address, and an Event when nginx refused it."""

from collections.abc import Callable
from datetime import datetime, timezone

from kubernetes import client

from rig.ingress.model import Object, key

_COMPONENT = "rig-ingress"
_MESSAGE_LIMIT = 1024


def address(ingress: Object, ip: str) -> None:
    """Writes the address that the Ingress is served on, once."""
    wanted = {"loadBalancer": {"ingress": [{"ip": ip}]}}
    if (ingress.get("status") or {}).get("loadBalancer") == wanted["loadBalancer"]:
        return
    namespace, name = key(ingress)
    _quietly(client.NetworkingV1Api().patch_namespaced_ingress_status, name, namespace, {"status": wanted})


def refusal(item: Object, kind: str, reason: str) -> None:
    namespace, name = key(item)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "metadata": {"generateName": f"{name[:200]}.", "namespace": namespace},
        "type": "Warning",
        "reason": "Refused",
        "message": reason[:_MESSAGE_LIMIT],
        "source": {"component": _COMPONENT},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "involvedObject": {
            "apiVersion": item.get("apiVersion"),
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "uid": item["metadata"]["uid"],
        },
    }
    _quietly(client.CoreV1Api().create_namespaced_event, namespace, event)


def _quietly(call: Callable[..., object], *arguments: object) -> None:
    """The object may be gone by now, which is no error."""
    try:
        call(*arguments)
    except client.ApiException as error:
        if error.status not in (404, 409):
            print(f"the API server refused a report: {error.status} {error.reason}", flush=True)
