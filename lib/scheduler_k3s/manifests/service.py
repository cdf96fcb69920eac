"""The Service of a process that listens."""

from scheduler_k3s.app import App, Process
from scheduler_k3s.manifests.metadata import Object, metadata, triplet


def service(app: App, process: Process) -> Object:
    labels = triplet(app.name, process.type)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(
            app, "service", f"{app.name}-{process.type}", process=process.type, labels=labels
        ),
        "spec": {
            "ports": [
                {"name": port.name, "port": port.host, "targetPort": port.container, "protocol": "TCP"}
                for port in process.ports
            ],
            "selector": labels,
        },
    }
