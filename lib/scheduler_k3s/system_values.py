"""The values that each system chart is installed with. Pure: sinks and overrides in, helm values out.

A function per chart, named in `_BASE`. Later wins: these values, the log sinks (vector), the administrator's overrides.
"""

from collections.abc import Mapping
from typing import Any

from scheduler_k3s import helm_set, vector_sinks
from scheduler_k3s.errors import PluginError

Tree = dict[str, Any]

_SYSTEM = "system-cluster-critical"
_NGINX_LOGS = "/var/log/nginx"


def values(chart: str, overrides: Mapping[str, str], sink: str = "", cron_sink: str = "") -> Tree:
    """What helm is given. `sink` and `cron_sink` are vector's, as `logs:set` stores them.

    Errors: PluginError naming the override, or the sink's property, that cannot be applied.
    """
    tree = _BASE[chart]()
    if chart == "vector":
        vector_sinks.add(tree["customConfig"], sink, cron_sink)
    for key, text in sorted(overrides.items()):
        try:
            helm_set.assign(tree, key, text)
        except ValueError as error:
            remedy = f"dokku scheduler-k3s:charts:set {chart}.{key}"
            raise PluginError(
                f"Override {key} of {chart} cannot be applied: {error}. Remove it with: {remedy}"
            ) from None
    return tree


def numbers(overrides: Mapping[str, str]) -> dict[str, int]:
    """The overrides that are whole numbers, by helm's key."""
    typed = {key: helm_set.value(text) for key, text in sorted(overrides.items())}
    return {helm_set.key(helm_set.path(key)): found for key, found in typed.items() if type(found) is int}


def _cert_manager() -> Tree:
    parts = {part: {"tolerations": _critical()} for part in ("webhook", "cainjector", "startupapicheck")}
    return {"installCRDs": True, "tolerations": _critical(), **parts}


def _longhorn() -> Tree:
    """longhorn makes pods itself, so it has to be told of the taint in its own settings too."""
    parts = ("longhornManager", "longhornDriver", "longhornUI")
    return {
        "defaultSettings": {"taintToleration": "CriticalAddonsOnly=true:NoSchedule"},
        **{part: {"tolerations": _critical()} for part in parts},
    }


def _traefik() -> Tree:
    """Access logs as JSON, metrics, the Ingresses' status, and middlewares of other namespaces."""
    return {
        "logs": {"access": {"enabled": True, "format": "json"}},
        "podAnnotations": {"prometheus.io/port": "8082", "prometheus.io/scrape": "true"},
        "providers": {
            "kubernetesCRD": {"enabled": True, "allowCrossNamespace": True},
            "kubernetesIngress": {"publishedService": {"enabled": True}},
        },
        "priorityClassName": _SYSTEM,
        "tolerations": _control_plane(),
        "service": {"ipFamilyPolicy": "PreferDualStack"},
    }


def _ingress_nginx() -> Tree:
    """Apps' settings become snippets, hence the risk level. nginx logs into files, which two more containers show."""
    controller = {
        "metrics": {"enabled": True},
        "allowSnippetAnnotations": True,
        "config": {
            "access-log-path": f"{_NGINX_LOGS}/access.log",
            "error-log-path": f"{_NGINX_LOGS}/error.log",
            "annotations-risk-level": "Critical",
            "log-format-escape-json": "true",
        },
        "extraVolumes": [{"name": "data", "emptyDir": {}}],
        "extraVolumeMounts": _nginx_logs(),
        "extraContainers": [_tail("stream-accesslog", "access"), _tail("stream-errorlog", "error")],
        "podAnnotations": {
            "prometheus.io/path": "/metrics",
            "prometheus.io/port": "10254",
            "prometheus.io/scheme": "http",
            "prometheus.io/scrape": "true",
        },
        "priorityClassName": _SYSTEM,
        "tolerations": _control_plane(),
        "admissionWebhooks": {"patch": {"tolerations": _control_plane()}},
    }
    return {"controller": controller, "defaultBackend": {"tolerations": _control_plane()}}


def _keda() -> Tree:
    return {"tolerations": _control_plane()}


def _keda_add_ons_http() -> Tree:
    """One of each, with little processor time: the chart's own values are for larger clusters."""

    def part() -> Tree:
        return {"resources": {"requests": {"cpu": "100m"}}, "tolerations": _control_plane()}

    return {
        "operator": part(),
        "scaler": {"replicas": 1, **part()},
        "interceptor": {"replicas": {"min": 1}, **part()},
    }


def _vector() -> Tree:
    """An agent on every node, tainted servers included, that passes on what the containers print."""
    roles = ("master", "control-plane", "infra")
    return {
        "role": "Agent",
        "tolerations": [*map(_role, roles), {"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "service": {"ports": [{"name": "prom-exporter", "port": 9090, "protocol": "TCP"}]},
        **{
            f"{kind}Probe": {"httpGet": {"path": "/health", "port": "api"}}
            for kind in ("liveness", "readiness")
        },
        "customConfig": vector_sinks.config(),
    }


_BASE = {
    "cert-manager": _cert_manager,
    "longhorn": _longhorn,
    "traefik": _traefik,
    "ingress-nginx": _ingress_nginx,
    "keda": _keda,
    "keda-add-ons-http": _keda_add_ons_http,
    "vector": _vector,
}


def _critical() -> list[Tree]:
    """The taint of `--taint-scheduling`."""
    return [{"key": "CriticalAddonsOnly", "operator": "Equal", "value": "true", "effect": "NoSchedule"}]


def _control_plane() -> list[Tree]:
    """Any server: also those that others than dokku have tainted."""
    return [{"key": "CriticalAddonsOnly", "operator": "Exists"}, _role("control-plane"), _role("master")]


def _role(name: str) -> Tree:
    return {"key": f"node-role.kubernetes.io/{name}", "operator": "Exists", "effect": "NoSchedule"}


def _nginx_logs() -> list[Tree]:
    return [{"name": "data", "mountPath": _NGINX_LOGS}]


def _tail(name: str, log: str) -> Tree:
    return {
        "name": name,
        "image": "busybox",
        "imagePullPolicy": "Always",
        "command": ["tail", "-n+1", "-F", f"{_NGINX_LOGS}/{log}.log"],
        "volumeMounts": _nginx_logs(),
    }
