"""The values of the system charts, by what they are for."""

from typing import Any

import pytest
from scheduler_k3s import system_values
from scheduler_k3s.charts import CHARTS
from scheduler_k3s.errors import PluginError

TAINT = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}
SERVERS = [
    {"key": f"node-role.kubernetes.io/{role}", "value": "", "effect": "NoSchedule"}
    for role in ("control-plane", "master")
]
# where each chart reads the tolerations of its pods
PODS = {
    "cert-manager": ("", "webhook", "cainjector", "startupapicheck"),
    "longhorn": ("longhornManager", "longhornDriver", "longhornUI"),
    "traefik": ("",),
    "ingress-nginx": ("controller", "controller.admissionWebhooks.patch", "defaultBackend"),
    "keda": ("",),
    "keda-add-ons-http": ("operator", "scaler", "interceptor"),
    "vector": ("",),
}


def values(chart: str, **overrides: str) -> dict[str, Any]:
    return system_values.values(chart, overrides)


def at(tree: Any, path: str) -> Any:
    for step in filter(None, path.split(".")):
        tree = tree[step]
    return tree


def tolerates(tolerations: list[dict[str, str]], taint: dict[str, str]) -> bool:
    """Kubernetes' rule."""
    return any(
        each.get("key") in (None, taint["key"])
        and each.get("effect") in (None, taint["effect"])
        and (each["operator"] == "Exists" or each["value"] == taint["value"])
        for each in tolerations
    )


@pytest.mark.parametrize("chart", [chart.name for chart in CHARTS])
def test_system_pods_run_on_servers_that_apps_are_kept_off(chart: str) -> None:
    for pod in PODS[chart]:
        tolerations = at(values(chart), pod)["tolerations"]
        assert tolerates(tolerations, TAINT), f"{chart} {pod}"
        if chart not in ("cert-manager", "longhorn"):
            assert all(tolerates(tolerations, taint) for taint in SERVERS), f"{chart} {pod}"


@pytest.mark.parametrize(
    ("chart", "path", "expected"),
    [
        ("cert-manager", "installCRDs", True),
        ("longhorn", "defaultSettings.taintToleration", "CriticalAddonsOnly=true:NoSchedule"),
        ("traefik", "logs.access", {"enabled": True, "format": "json"}),
        ("traefik", "podAnnotations", {"prometheus.io/port": "8082", "prometheus.io/scrape": "true"}),
        ("traefik", "providers.kubernetesCRD", {"enabled": True, "allowCrossNamespace": True}),
        ("traefik", "providers.kubernetesIngress.publishedService.enabled", True),
        ("traefik", "priorityClassName", "system-cluster-critical"),
        ("traefik", "service.ipFamilyPolicy", "PreferDualStack"),
        ("ingress-nginx", "controller.metrics.enabled", True),
        ("ingress-nginx", "controller.allowSnippetAnnotations", True),
        ("ingress-nginx", "controller.config.annotations-risk-level", "Critical"),
        ("ingress-nginx", "controller.config.log-format-escape-json", "true"),
        ("ingress-nginx", "controller.priorityClassName", "system-cluster-critical"),
        ("keda-add-ons-http", "scaler.replicas", 1),
        ("keda-add-ons-http", "interceptor.replicas.min", 1),
        ("keda-add-ons-http", "operator.resources.requests.cpu", "100m"),
        ("keda-add-ons-http", "scaler.resources.requests.cpu", "100m"),
        ("keda-add-ons-http", "interceptor.resources.requests.cpu", "100m"),
        ("vector", "role", "Agent"),
        ("vector", "livenessProbe.httpGet", {"path": "/health", "port": "api"}),
        ("vector", "readinessProbe.httpGet", {"path": "/health", "port": "api"}),
        ("vector", "customConfig.api.address", "0.0.0.0:8686"),
        ("vector", "customConfig.sinks.prom_exporter.address", "0.0.0.0:9090"),
    ],
)
def test_what_a_chart_is_told(chart: str, path: str, expected: Any) -> None:
    assert at(values(chart), path) == expected


def test_nginx_s_log_files_are_shown_by_containers_that_see_them() -> None:
    controller = values("ingress-nginx")["controller"]
    (mount,) = controller["extraVolumeMounts"]
    assert [volume["name"] for volume in controller["extraVolumes"]] == [mount["name"]]
    shown = {each["name"]: each for each in controller["extraContainers"]}
    for name, key in (("stream-accesslog", "access-log-path"), ("stream-errorlog", "error-log-path")):
        file = controller["config"][key]
        assert file.startswith(mount["mountPath"] + "/")
        assert shown[name]["volumeMounts"] == [mount]
        assert shown[name]["command"] == ["tail", "-n+1", "-F", file]


def test_overrides_win_and_go_in_by_sorted_key() -> None:
    tree = system_values.values(
        "traefik", {"service.type": "NodePort", "logs.access.enabled": "false", "b[1]": "2", "b[0]": "x"}
    )
    assert tree["service"] == {"ipFamilyPolicy": "PreferDualStack", "type": "NodePort"}
    assert tree["logs"]["access"]["enabled"] is False
    assert tree["b"] == ["x", 2]


def test_overrides_reach_into_vector_s_configuration_after_the_sinks() -> None:
    override = {"customConfig.sinks.kubernetes_global_sink.uri": "http://b"}
    tree = system_values.values("vector", override, "http://?uri=http://a")
    assert tree["customConfig"]["sinks"]["kubernetes_global_sink"]["uri"] == "http://b"


def test_one_run_s_overrides_are_not_the_next_one_s() -> None:
    for chart, pods in PODS.items():
        before = values(chart)
        for pod in pods:
            at(values(chart), pod)["tolerations"].clear()
        assert values(chart) == before


def test_an_override_that_cannot_be_is_named_with_its_remedy() -> None:
    with pytest.raises(PluginError) as raised:
        values("cert-manager", **{"installCRDs.x": "1"})
    assert raised.value.message == (
        "Override installCRDs.x of cert-manager cannot be applied: installCRDs holds a value already, not a map. "
        "Remove it with: dokku scheduler-k3s:charts:set cert-manager.installCRDs.x"
    )
