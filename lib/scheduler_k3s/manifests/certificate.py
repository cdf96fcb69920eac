"""The Certificate that cert-manager is to get for an app's domains."""

from scheduler_k3s import domains
from scheduler_k3s.app import App, Process
from scheduler_k3s.manifests.issuer import API_VERSION
from scheduler_k3s.manifests.metadata import MANAGED, Object, added, metadata


def certificate(app: App, process: Process) -> Object:
    name = f"{app.name}-{process.type}"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": app.name}
    return {
        "apiVersion": API_VERSION,
        "kind": "Certificate",
        "metadata": metadata(app, "certificate", name, process=process.type, labels=labels),
        "spec": {
            "dnsNames": [domains.host(domain) for domain in app.domains],
            "issuerRef": {"kind": app.tls.issuer_kind, "name": app.tls.issuer},
            "secretName": app.tls.secret,
            "secretTemplate": {
                "annotations": dict(MANAGED),
                "labels": {**labels, **added(app.labels, "secret", process.type)},
            },
        },
    }
