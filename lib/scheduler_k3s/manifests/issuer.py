"""cert-manager's issuers for letsencrypt: those of the cluster, and that of an app with an address of its own."""

from collections.abc import Mapping

from scheduler_k3s.app import App
from scheduler_k3s.manifests.metadata import MANAGED, Object

API_VERSION = "cert-manager.io/v1"
SERVERS = {
    "stag": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "prod": "https://acme-v02.api.letsencrypt.org/directory",
}


def cluster_issuers(emails: Mapping[str, str], ingress_class: str) -> list[Object]:
    """One for each server with an address. The keys of `emails` are those of SERVERS."""
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "ClusterIssuer",
            "metadata": {"name": f"letsencrypt-{server}", "annotations": dict(MANAGED)},
            "spec": {"acme": _acme(f"letsencrypt-{server}", server, emails[server], ingress_class)},
        }
        for server in SERVERS
        if emails.get(server)
    ]


def issuer(app: App) -> Object:
    labels = {"app.kubernetes.io/name": app.tls.issuer, "app.kubernetes.io/part-of": app.name}
    return {
        "apiVersion": API_VERSION,
        "kind": "Issuer",
        "metadata": {
            "name": app.tls.issuer,
            "namespace": app.namespace,
            "labels": labels,
            "annotations": dict(MANAGED),
        },
        "spec": {"acme": _acme(app.tls.issuer, app.tls.server, app.tls.email, app.ingress_class)},
    }


def _acme(name: str, server: str, email: str, ingress_class: str) -> Object:
    return {
        "email": email,
        "server": SERVERS[server],
        "privateKeySecretRef": {"name": name},
        "solvers": [{"http01": {"ingress": {"class": ingress_class}}}],
    }
