"""One Ingress per domain, for the ingress class nginx."""

from scheduler_k3s import domains, names
from scheduler_k3s.app import App, Process, primary_port_name
from scheduler_k3s.manifests import keda, nginx
from scheduler_k3s.manifests.metadata import Object, added, metadata, triplet

METHOD = "dokku.com/ingress-method"


def ingresses(app: App, process: Process) -> list[Object]:
    taken: set[str] = set()
    return [_ingress(app, process, domain, taken) for domain in app.domains]


def warnings(app: App, process: Process) -> list[str]:
    """A line when annotations of the user take the place of nginx properties, one when snippets are left out."""
    own = added(app.annotations, "ingress", process.type)
    derived = nginx.annotations(app.nginx)
    told = []
    if replaced := sorted(own.keys() & derived.keys()):
        told.append(
            f"Annotations set for the ingress of {app.name} replace its nginx properties: {', '.join(replaced)}"
        )
    if not app.snippets and derived != nginx.annotations(app.nginx, snippets=False):
        told.append(without_snippets(app))
    return told


def without_snippets(app: App) -> str:
    return (
        f"The cluster's ingress-nginx forbids snippets: the nginx properties of {app.name} for timeouts of clients, "
        "buffers, headers and log files have no effect. Its administrator can allow them with "
        "controller.allowSnippetAnnotations=true and controller.config.annotations-risk-level=Critical"
    )


def _ingress(app: App, process: Process, domain: str, taken: set[str]) -> Object:
    name = names.ingress_name(app.name, process.type, domain, taken)
    taken.add(name)
    host = domains.host(domain)
    annotations = {METHOD: "domains", **nginx.annotations(app.nginx, app.snippets)}
    if app.tls.secret:
        annotations[f"{nginx.PREFIX}force-ssl-redirect"] = "true"
    rule = {"host": host, "http": {"paths": [_path(app, process)]}}
    spec: Object = {"ingressClassName": "nginx", "rules": [rule]}
    if app.tls.secret:
        spec["tls"] = [{"hosts": [host], "secretName": app.tls.secret}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(
            app,
            "ingress",
            name,
            process=process.type,
            labels=triplet(app.name, process.type),
            annotations=annotations,
        ),
        "spec": spec,
    }


def _path(app: App, process: Process) -> Object:
    """To the process's Service, or to KEDA's proxy, which wakes it."""
    service: Object = {
        "name": f"{app.name}-{process.type}",
        "port": {"name": primary_port_name(process.ports)},
    }
    path_type = "ImplementationSpecific"
    if keda.is_proxied(app, process):
        service = {"name": keda.proxy_name(app, process), "port": {"number": keda.PROXY_PORT}}
        path_type = "Prefix"
    return {"path": "/", "pathType": path_type, "backend": {"service": service}}
