"""The Deployment of a process type."""

from scheduler_k3s.app import App, Process, distinct
from scheduler_k3s.manifests import pod, probes
from scheduler_k3s.manifests.metadata import MANAGED, Object, added, metadata, triplet

HISTORY = 5
STABLE_SECONDS = 10


def deployment(app: App, process: Process) -> Object:
    """Also for a process at scale 0: it keeps its place, its history and its selector.

    New pods come up before old ones go (surge, nothing unavailable); a process that nothing probes counts as
    up when it has stayed up for a while, since a container is "ready" the moment it starts.
    """
    name = f"{app.name}-{process.type}"
    labels = triplet(app.name, process.type)
    selector = dict(process.selector) or labels
    annotations = {
        "app.kubernetes.io/version": process.deployment_id,
        "dokku.com/builder-type": app.image.kind,
        "kubectl.kubernetes.io/default-container": name,
    }
    spec: Object = {
        "revisionHistoryLimit": HISTORY,
        "progressDeadlineSeconds": max(1, int(app.deploy_timeout)),
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
        },
        "selector": {"matchLabels": selector},
        "template": {
            "metadata": {
                # a pod that its own Deployment does not select would be refused
                "labels": {**labels, **added(app.labels, "pod", process.type), **selector},
                "annotations": {**MANAGED, **annotations, **added(app.annotations, "pod", process.type)},
            },
            "spec": _pod(app, process),
        },
    }
    if process.replicas is not None:
        spec["replicas"] = process.replicas
    if seconds := _minimum_ready_seconds(process):
        spec["minReadySeconds"] = seconds
        # Kubernetes wants the deadline to be longer than the time a pod has to be stable
        spec["progressDeadlineSeconds"] = max(spec["progressDeadlineSeconds"], seconds + 1)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(
            app, "deployment", name, process=process.type, labels=labels, annotations=annotations
        ),
        "spec": spec,
    }


def _minimum_ready_seconds(process: Process) -> int:
    if uptime := probes.minimum_ready_seconds(process.checks, _place(process)):
        return uptime
    return 0 if process.has_service or process.checks else STABLE_SECONDS


def _pod(app: App, process: Process) -> Object:
    spec = pod.pod(app, _container(app, process))
    return {**spec, "terminationGracePeriodSeconds": app.stop_timeout + _pre_stop(app, process)}


def _container(app: App, process: Process) -> Object:
    container = pod.container(app, f"{app.name}-{process.type}", process.args, process.resources)
    if process.has_service:
        container["env"] = [{"name": "PORT", "value": str(process.primary_port)}]
        container["ports"] = [
            {"containerPort": port.container, "name": port.name, "protocol": port.protocol}
            for port in distinct(process.ports)
        ]
    if seconds := _pre_stop(app, process):
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": seconds}}}
    return {**container, **_probes(app, process)}


def _pre_stop(app: App, process: Process) -> int:
    """Only a process that is routed to has to outlive the routes."""
    return app.pre_stop if process.has_service else 0


def _probes(app: App, process: Process) -> Object:
    """Checks that probe nothing (an `uptime`) do not stand in the way of the default one."""
    own = probes.probes(process.checks, process.primary_port, _place(process))
    if own or not (process.has_service and process.default_check and process.primary_port):
        return own
    return {"readinessProbe": probes.default_readiness(process.primary_port, app.deploy_timeout)}


def _place(process: Process) -> str:
    return f"{probes.WHERE}.{process.type}"
