"""What every app's autoscaling triggers of one kind log in with: KEDA's ClusterTriggerAuthentication."""

import base64
from collections.abc import Mapping

from scheduler_k3s.manifests.metadata import MANAGED, Object
from scheduler_k3s.secret import Secret

API_VERSION = "keda.sh/v1alpha1"
NAMESPACE = "keda"


def cluster_trigger_auth(trigger: str, pairs: Mapping[str, Secret]) -> list[Object]:
    """The Secret with the values, and the object that points at each of its keys."""
    secret = f"ckta-{trigger}"
    data = {key: base64.b64encode(value.reveal().encode()).decode() for key, value in sorted(pairs.items())}
    references = [{"parameter": key, "name": secret, "key": key} for key in data]
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {**_metadata(trigger, secret), "namespace": NAMESPACE},
            "type": "Opaque",
            "data": data,
        },
        {
            "apiVersion": API_VERSION,
            "kind": "ClusterTriggerAuthentication",
            "metadata": _metadata(trigger, trigger),
            "spec": {"secretTargetRef": references},
        },
    ]


def _metadata(trigger: str, name: str) -> Object:
    labels = {
        "app.kubernetes.io/instance": trigger,
        "app.kubernetes.io/name": trigger,
        "app.kubernetes.io/part-of": "cluster",
    }
    return {"name": name, "labels": labels, "annotations": dict(MANAGED)}
