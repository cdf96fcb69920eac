"""Where an app's certificate comes from, as its properties and the cluster have it."""

from typing import NamedTuple

from scheduler_k3s import settings, tls
from scheduler_k3s.app import Tls
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.issuer import API_VERSION
from scheduler_k3s.operations import imported, target
from scheduler_k3s.operations.imported import Imported
from scheduler_k3s.tools.cluster import Cluster, name

_EMAILS = ("letsencrypt-email-prod", "letsencrypt-email-stag")
_SETTINGS = (*_EMAILS, "letsencrypt-server", "cert-issuer-name", "cert-issuer-kind")


class Source(NamedTuple):
    """`told` is what the user should know of it."""

    tls: Tls
    told: list[str]
    imported: Imported


def read(cluster: Cluster, app: str, namespace: str) -> Source:
    """Errors: PluginError for a property that breaks its rule."""
    brought = imported.read(cluster, app, namespace)
    found = tls.decide(
        app,
        {name: settings.checked(app, name) for name in _SETTINGS},
        own_emails={name: properties.read(app, name) for name in _EMAILS},
        imported=brought.usable,
    )
    return Source(found, [*brought.told, *missing_issuer(cluster, app, namespace, found)], brought)


def missing_issuer(cluster: Cluster, app: str, namespace: str, wanted: Tls) -> list[str]:
    """One line when the cluster has no issuer of that name, none for an issuer that the app brings along.

    Advisory: without a cluster to ask, or the permission to, nothing is said.
    """
    if not wanted.issuer or wanted.email:
        return []
    place = f"/namespaces/{name(namespace)}/issuers" if wanted.issuer_kind == "Issuer" else "/clusterissuers"
    try:
        if cluster.find(f"/apis/{API_VERSION}{place}/{name(wanted.issuer)}") is not None:
            return []
    except PluginError:
        return []
    where = f" in namespace {namespace}" if wanted.issuer_kind == "Issuer" else ""
    return [
        f"{wanted.issuer_kind} {wanted.issuer} not found{where}, certificates will not be issued for {app}"
    ]


def operator_issuer_warnings(app: str) -> list[str]:
    """Before a build and in a preview: whether the issuer that the operator promised is there."""
    try:
        if settings.value(app, "cert-issuer-name") in ("", "false"):
            return []
        cluster = target.cluster(attempts=1, timeout=5.0)
        found, told, _ = read(cluster, app, target.namespace(app))
        return told if found.issuer == settings.value(app, "cert-issuer-name") else []
    except PluginError:
        return []
