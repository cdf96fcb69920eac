"""What KEDA scales an app's processes by: ScaledObjects, http routing, and what triggers log in with."""

import base64

from scheduler_k3s import domains
from scheduler_k3s.app import App, Process
from scheduler_k3s.autoscaling import HTTP, Autoscaling, HttpScaling
from scheduler_k3s.manifests.metadata import Object, metadata, triplet
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA
from scheduler_k3s.secret import Secret

PROXY_PORT = 8080
_SCALER = "keda-add-ons-http-external-scaler.keda:9090"
_PROXY = "keda-add-ons-http-interceptor-proxy.keda.svc.cluster.local"
_OF_POD = ("cpu", "memory")


def objects(app: App) -> list[Object]:
    """None for a cluster without KEDA."""
    made: list[Object] = []
    if KEDA not in app.keda.served:
        return made
    for trigger in sorted(app.keda.authentications):
        made += [_secret(app, trigger), _authentication(app, trigger)]
    for process in app.processes:
        if process.autoscaling is None:
            continue
        made.append(_scaled_object(app, process, process.autoscaling))
        if HTTP_ADD_ON in app.keda.served and process.has_service:
            made.append(_proxy(app, process))
            if process.autoscaling.http is not None:
                made.append(_http_scaled_object(app, process, process.autoscaling, process.autoscaling.http))
    return made


def proxy_name(app: App, process: Process) -> str:
    """The Service by which requests reach KEDA's proxy, which holds them until a pod is up."""
    return f"kip-{app.name}-{process.type}"


def is_proxied(app: App, process: Process) -> bool:
    """Whether the process's routes lead through KEDA's proxy."""
    scaling = process.autoscaling
    return scaling is not None and scaling.http is not None and HTTP_ADD_ON in app.keda.served


def _scaled_object(app: App, process: Process, scaling: Autoscaling) -> Object:
    name = f"{app.name}-{process.type}"
    spec: Object = {
        "scaleTargetRef": {**_target(name), "envSourceContainerName": name},
        "pollingInterval": scaling.polling,
        "cooldownPeriod": scaling.cooldown,
        "minReplicaCount": scaling.minimum,
        "maxReplicaCount": scaling.maximum,
        "triggers": _triggers(app, name, scaling),
    }
    if any(trigger.type not in _OF_POD for trigger in scaling.triggers):
        spec["fallback"] = {"failureThreshold": 3, "replicas": process.scale}
    meta = _metadata(app, "keda_scaled_object", name, process)
    return {"apiVersion": KEDA, "kind": "ScaledObject", "metadata": meta, "spec": spec}


def _triggers(app: App, name: str, scaling: Autoscaling) -> list[Object]:
    made = []
    for trigger in scaling.triggers:
        item: Object = {"name": trigger.name, "type": trigger.type, "metadata": dict(trigger.metadata)}
        if trigger.type == HTTP:
            item["type"] = "external-push"
            item["metadata"] = {"httpScaledObject": name, "scalerAddress": _SCALER}
        elif trigger.type in app.keda.authentications:
            item["authenticationRef"] = {
                "name": f"{app.name}-{trigger.type}",
                "kind": "TriggerAuthentication",
            }
        elif trigger.type in app.keda.cluster_authentications:
            item["authenticationRef"] = {"name": trigger.type, "kind": "ClusterTriggerAuthentication"}
        made.append(item)
    return made


def _http_scaled_object(app: App, process: Process, scaling: Autoscaling, http: HttpScaling) -> Object:
    name = f"{app.name}-{process.type}"
    metric: Object = {"concurrency": {"targetValue": http.concurrency}}
    if http.scale_by == "request_rate":
        metric = {
            "requestRate": {
                "granularity": f"{http.granularity}s",
                "targetValue": http.request_rate,
                "window": f"{http.window}s",
            }
        }
    meta = _metadata(app, "", name, process)
    meta["annotations"]["httpscaledobject.keda.sh/skip-scaledobject-creation"] = "true"
    return {
        "apiVersion": HTTP_ADD_ON,
        "kind": "HTTPScaledObject",
        "metadata": meta,
        "spec": {
            "hosts": [domains.host(domain) for domain in app.domains] if process.type == "web" else [],
            "scaleTargetRef": {**_target(name), "service": name, "port": process.service_port},
            "replicas": {"min": scaling.minimum, "max": scaling.maximum},
            "scaledownPeriod": http.scaledown_period,
            "scalingMetric": metric,
        },
    }


def _proxy(app: App, process: Process) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(app, "", proxy_name(app, process), process),
        "spec": {"type": "ExternalName", "externalName": _PROXY},
    }


def _authentication(app: App, trigger: str) -> Object:
    secret = _secret_name(app, trigger)
    references = [
        {"parameter": key, "name": secret, "key": key} for key in sorted(app.keda.authentications[trigger])
    ]
    return {
        "apiVersion": KEDA,
        "kind": "TriggerAuthentication",
        "metadata": _login_metadata(app, "keda_trigger_authentication", f"{app.name}-{trigger}", trigger),
        "spec": {"secretTargetRef": references},
    }


def _secret(app: App, trigger: str) -> Object:
    values = sorted(app.keda.authentications[trigger].items())
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _login_metadata(app, "keda_secret", _secret_name(app, trigger), trigger),
        "type": "Opaque",
        "data": {key: base64.b64encode(_octets(value)).decode("ascii") for key, value in values},
    }


def _octets(value: Secret) -> bytes:
    """As they are in dokku's file, text or not."""
    return value.reveal().encode("utf-8", "surrogateescape")


def _secret_name(app: App, trigger: str) -> str:
    return f"kta-{app.name}-{trigger}"


def _target(name: str) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def _metadata(app: App, resource: str, name: str, process: Process) -> Object:
    annotations = {"app.kubernetes.io/version": app.deployment_id}
    labels = triplet(app.name, process.type)
    return metadata(app, resource, name, process=process.type, labels=labels, annotations=annotations)


def _login_metadata(app: App, resource: str, name: str, trigger: str) -> Object:
    annotations = {"app.kubernetes.io/version": app.deployment_id}
    return metadata(app, resource, name, labels=triplet(app.name, trigger), annotations=annotations)
