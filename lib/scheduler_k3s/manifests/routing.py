"""What brings requests from outside to an app, by ingress class, and the certificate that it shows there."""

from scheduler_k3s.app import App, Process
from scheduler_k3s.manifests import ingress, issuer, traefik
from scheduler_k3s.manifests.certificate import certificate
from scheduler_k3s.manifests.metadata import Object

NGINX, TRAEFIK = "nginx", "traefik"


def objects(app: App) -> list[Object]:
    web = app.process("web")
    if web is None:
        return []
    made = [issuer.issuer(app)] if app.tls.email else []
    if not _is_routed(app, web):
        return made
    if app.tls.issuer:
        made.append(certificate(app, web))
    if app.ingress_class == NGINX:
        made += ingress.ingresses(app, web)
    elif app.ingress_class == TRAEFIK:
        made += traefik.routes(app, web)
    return made


def warnings(app: App) -> list[str]:
    web = app.process("web")
    if web is None or not _is_routed(app, web):
        return []
    if app.ingress_class == NGINX:
        return ingress.warnings(app, web)
    if app.ingress_class == TRAEFIK:
        return []
    return [
        f"The ingress class is {app.ingress_class}, neither {NGINX} nor {TRAEFIK}: the domains of {app.name} are "
        f"not routed. Set the one of the cluster: dokku scheduler-k3s:set --global ingress-class {TRAEFIK}"
    ]


def _is_routed(app: App, web: Process) -> bool:
    return web.has_service and bool(app.domains)
