"""The ServiceAccount under which an app's pods run."""

from scheduler_k3s.app import App
from scheduler_k3s.manifests.metadata import Object, metadata


def service_account(app: App) -> Object:
    labels = {
        "app.kubernetes.io/instance": "service-account",
        "app.kubernetes.io/name": "service-account",
        "app.kubernetes.io/part-of": app.name,
    }
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(app, "serviceaccount", app.name, labels=labels),
    }
