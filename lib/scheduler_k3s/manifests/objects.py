"""All objects of an app's release, in the order in which they are listed."""

from scheduler_k3s.app import App
from scheduler_k3s.manifests.deployment import deployment
from scheduler_k3s.manifests.ingress import ingresses
from scheduler_k3s.manifests.metadata import Object
from scheduler_k3s.manifests.service import service
from scheduler_k3s.manifests.service_account import service_account


def build(app: App) -> list[Object]:
    result = [service_account(app)]
    result += [service(app, process) for process in app.processes if process.has_service]
    result += [deployment(app, process) for process in app.processes]
    web = app.process("web")
    if web is not None and web.has_service and app.ingress_class == "nginx":
        result += ingresses(app, web)
    return result
