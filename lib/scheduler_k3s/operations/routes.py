"""What the cluster says of routing before a deploy: certificates, hosts that are taken, and what its routers know."""

from dataclasses import dataclass, replace

from scheduler_k3s import domain_claims, domains
from scheduler_k3s.app import App, Tls
from scheduler_k3s.domain_claims import Claim
from scheduler_k3s.manifests import traefik
from scheduler_k3s.manifests.ingress import without_snippets
from scheduler_k3s.manifests.routing import NGINX, TRAEFIK
from scheduler_k3s.operations import certificates
from scheduler_k3s.operations.imported import NONE as NO_CERTIFICATE
from scheduler_k3s.operations.imported import Imported
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name
from scheduler_k3s.tools.resources import Refused

_INGRESSES = "/apis/networking.k8s.io/v1"
_CONFIGURATION = "/api/v1/namespaces/ingress-nginx/configmaps/ingress-nginx-controller"
_SCHEMA = "/openapi/v3/apis/traefik.io/v1alpha1"


@dataclass(frozen=True)
class Routing:
    """`claims` are the hosts that are routed already, by whom; `warnings` is what the user should know; `imported`
    is the certificate that dokku has."""

    tls: Tls
    claims: tuple[Claim, ...] = ()
    warnings: tuple[str, ...] = ()
    imported: Imported = NO_CERTIFICATE


def read(cluster: Cluster, app: str, namespace: str) -> Routing:
    tls, told, imported = certificates.read(cluster, app, namespace)
    taken = domain_claims.read(_everywhere(cluster, _INGRESSES, namespace, "ingresses"), "Ingress")
    routes = _everywhere(cluster, f"/apis/{traefik.API_VERSION}", namespace, "ingressroutes")
    taken += domain_claims.read(routes, "IngressRoute")
    return Routing(tls, tuple(taken), tuple(told), imported)


def fitted(cluster: Cluster, app: App) -> App:
    """The app as the cluster's routers take it."""
    if not app.domains:
        return app
    if app.ingress_class == NGINX and not _allows_snippets(cluster):
        return replace(app, snippets=False)
    if app.ingress_class == TRAEFIK and any(domain.startswith(domains.WILDCARD) for domain in app.domains):
        return replace(app, traefik_syntax=_names_syntax(cluster))
    return app


def check(app: App, found: Routing) -> list[str]:
    """Errors: PluginError for a domain that is another app's."""
    hosts = {domains.host(domain): domain for domain in app.domains}
    return [*found.warnings, *domain_claims.check(app.name, hosts, found.claims)]


def forbids_snippets(app: App, refusal: Refused) -> str:
    """What to say when an admission webhook forbids snippets; empty for a refusal that is about anything else,
    be it about what a snippet says."""
    why = refusal.message.replace(refusal.object_name, "").lower()
    if refusal.kind != "Ingress" or not app.snippets or "snippet" not in why or "[emerg]" in why:
        return ""
    return without_snippets(app)


def _everywhere(cluster: Cluster, group: str, namespace: str, plural: str) -> list[Object]:
    """In all namespaces, or, for a user that may not look there, in the app's. None where the kind is unknown."""
    try:
        return cluster.list(f"{group}/{plural}")
    except ApiError as error:
        if error.code == 404:
            return []
        if error.code != 403:
            raise
    try:
        return cluster.list(f"{group}/namespaces/{name(namespace)}/{plural}")
    except ApiError as error:
        if error.code in (403, 404):
            return []
        raise


def _allows_snippets(cluster: Cluster) -> bool:
    """Only a plain no counts: without the setting it is for ingress-nginx' webhook to refuse, in the dry run."""
    try:
        found = cluster.find(_CONFIGURATION)
    except ApiError:
        return True
    return ((found or {}).get("data") or {}).get("allow-snippet-annotations") != "false"


def _names_syntax(cluster: Cluster) -> bool:
    """Whether the served IngressRoute has the field for the version of a matcher's syntax, as Traefik 3 does."""
    try:
        schema = cluster.find(_SCHEMA) or {}
    except ApiError:
        return False
    node = schema.get("components", {}).get("schemas", {}).get("io.traefik.v1alpha1.IngressRoute", {})
    for field in ("spec", "routes"):
        node = (node.get("properties") or {}).get(field) or {}
    return "syntax" in ((node.get("items") or {}).get("properties") or {})
