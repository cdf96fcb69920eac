"""KEDA's objects, written out by hand, and when there are any."""

from dataclasses import replace
from typing import Any

import pytest
from scheduler_k3s.app import App, Process
from scheduler_k3s.autoscaling import Autoscaling, HttpScaling, Trigger
from scheduler_k3s.manifests import keda, objects
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA, Keda
from scheduler_k3s.secret import Secret
from unit.models import HTTP, shop, web, worker

Object = dict[str, Any]

BOTH = Keda(frozenset({KEDA, HTTP_ADD_ON}))
CPU = Trigger("load", "cpu", {"value": "60"})
KAFKA = Trigger("queue", "kafka", {"topic": "a"})
REQUESTS = Trigger("requests", "http", {"scale_by": "request_rate"})
RATE = HttpScaling("request_rate", 300, 1, 100, 60, 40)


def scaling(*triggers: Trigger, **fields: Any) -> Autoscaling:
    return Autoscaling(1, 4, 30, 300, triggers or (CPU,), **fields)


def elastic(*triggers: Trigger, process: Process | None = None, **fields: Any) -> App:
    options = {"keda": BOTH, "domains": ("a.example.com", "b.example.com")} | fields
    http = RATE if REQUESTS in triggers else None
    return shop(replace(process or web(2), autoscaling=scaling(*triggers, http=http)), **options)


def made(app: App) -> dict[str, Object]:
    return {f"{item['kind']} {item['metadata']['name']}": item for item in keda.objects(app)}


def meta(name: str, part: str, **annotations: str) -> Object:
    return {
        "name": name,
        "namespace": "default",
        "labels": {
            "app.kubernetes.io/instance": f"shop-{part}",
            "app.kubernetes.io/name": part,
            "app.kubernetes.io/part-of": "shop",
        },
        "annotations": {
            "app.kubernetes.io/version": "1700000000",
            "dokku.com/managed": "true",
            **annotations,
        },
    }


def test_a_scaled_object() -> None:
    assert made(elastic(CPU, process=worker(3))) == {
        "ScaledObject shop-worker": {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": meta("shop-worker", "worker"),
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": "shop-worker",
                    "envSourceContainerName": "shop-worker",
                },
                "cooldownPeriod": 300,
                "pollingInterval": 30,
                "minReplicaCount": 1,
                "maxReplicaCount": 4,
                "triggers": [{"name": "load", "type": "cpu", "metadata": {"value": "60"}}],
            },
        }
    }


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ((CPU,), None),
        ((CPU, Trigger("m", "memory", {})), None),
        ((CPU, KAFKA), {"failureThreshold": 3, "replicas": 2}),
        ((REQUESTS,), {"failureThreshold": 3, "replicas": 2}),
    ],
)
def test_a_fallback_for_what_can_fail(triggers: tuple[Trigger, ...], expected: Object | None) -> None:
    assert made(elastic(*triggers))["ScaledObject shop-web"]["spec"].get("fallback") == expected


def test_http_scaling() -> None:
    built = made(elastic(REQUESTS))
    assert built["ScaledObject shop-web"]["spec"]["triggers"] == [
        {
            "name": "requests",
            "type": "external-push",
            "metadata": {
                "httpScaledObject": "shop-web",
                "scalerAddress": "keda-add-ons-http-external-scaler.keda:9090",
            },
        }
    ]
    assert built["HTTPScaledObject shop-web"] == {
        "apiVersion": "http.keda.sh/v1alpha1",
        "kind": "HTTPScaledObject",
        "metadata": meta(
            "shop-web", "web", **{"httpscaledobject.keda.sh/skip-scaledobject-creation": "true"}
        ),
        "spec": {
            "hosts": ["a.example.com", "b.example.com"],
            "scaleTargetRef": {
                "name": "shop-web",
                "kind": "Deployment",
                "apiVersion": "apps/v1",
                "service": "shop-web",
                "port": 80,
            },
            "replicas": {"min": 1, "max": 4},
            "scaledownPeriod": 300,
            "scalingMetric": {"requestRate": {"granularity": "1s", "targetValue": 100, "window": "60s"}},
        },
    }
    assert built["Service kip-shop-web"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta("kip-shop-web", "web"),
        "spec": {
            "type": "ExternalName",
            "externalName": "keda-add-ons-http-interceptor-proxy.keda.svc.cluster.local",
        },
    }


def test_http_scaling_by_concurrency() -> None:
    app = elastic(REQUESTS)
    (process,) = app.processes
    by = replace(process, autoscaling=scaling(REQUESTS, http=replace(RATE, scale_by="concurrency")))
    spec = made(replace(app, processes=[by]))["HTTPScaledObject shop-web"]["spec"]
    assert spec["scalingMetric"] == {"concurrency": {"targetValue": 40}}


def test_an_exposed_process_has_no_domains() -> None:
    exposed = replace(worker(), ports=(HTTP,), service_port=5000)
    spec = made(elastic(REQUESTS, process=exposed))["HTTPScaledObject shop-worker"]["spec"]
    assert (spec["hosts"], spec["scaleTargetRef"]["port"]) == ([], 5000)


@pytest.mark.parametrize(
    ("app", "kinds"),
    [
        (elastic(CPU), {"ScaledObject shop-web", "Service kip-shop-web"}),
        (elastic(CPU, process=worker()), {"ScaledObject shop-worker"}),
        (elastic(CPU, keda=Keda(frozenset({KEDA}))), {"ScaledObject shop-web"}),
        (elastic(CPU, keda=Keda()), set()),
        (shop(web(), keda=BOTH), set()),
    ],
)
def test_which_objects_there_are(app: App, kinds: set[str]) -> None:
    assert set(made(app)) == kinds
    assert kinds <= {f"{item['kind']} {item['metadata']['name']}" for item in objects.build(app)}


def test_the_app_s_logins_are_made_for_every_trigger_and_used_by_their_own() -> None:
    logins = {
        "kafka": {"user": Secret("me"), "password": Secret("hush\udcff\n")},
        "redis": {"a": Secret("b")},
    }
    known = replace(BOTH, authentications=logins, cluster_authentications=frozenset({"kafka", "cpu"}))
    built = made(elastic(CPU, KAFKA, REQUESTS, keda=known))
    triggers = built["ScaledObject shop-web"]["spec"]["triggers"]
    assert [trigger.get("authenticationRef") for trigger in triggers] == [
        {"name": "cpu", "kind": "ClusterTriggerAuthentication"},
        {"name": "shop-kafka", "kind": "TriggerAuthentication"},
        None,
    ]
    assert built["TriggerAuthentication shop-kafka"] == {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": meta("shop-kafka", "kafka"),
        "spec": {
            "secretTargetRef": [
                {"parameter": "password", "name": "kta-shop-kafka", "key": "password"},
                {"parameter": "user", "name": "kta-shop-kafka", "key": "user"},
            ]
        },
    }
    assert built["Secret kta-shop-kafka"] == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta("kta-shop-kafka", "kafka"),
        "type": "Opaque",
        "data": {"password": "aHVzaP8K", "user": "bWU="},
    }
    assert {"TriggerAuthentication shop-redis", "Secret kta-shop-redis"} <= set(built)


def test_what_users_add() -> None:
    annotations = {
        "--global.keda_scaled_object": {"a": "app"},
        "web.keda_scaled_object": {"b": "web"},
        "--global.keda_secret": {"c": "secret"},
        "--global.keda_trigger_authentication": {"d": "login"},
    }
    known = replace(BOTH, authentications={"kafka": {"a": Secret("b")}})
    built = made(elastic(REQUESTS, annotations=annotations, keda=known))
    added = {
        name: set(item["metadata"]["annotations"]) & {"a", "b", "c", "d"} for name, item in built.items()
    }
    assert added == {
        "ScaledObject shop-web": {"a", "b"},
        "HTTPScaledObject shop-web": set(),
        "Service kip-shop-web": set(),
        "TriggerAuthentication shop-kafka": {"d"},
        "Secret kta-shop-kafka": {"c"},
    }


def ingress_path(app: App) -> Object:
    (found, *_) = [item for item in objects.build(app) if item["kind"] == "Ingress"]
    path: Object = found["spec"]["rules"][0]["http"]["paths"][0]
    return path


def test_routes_of_http_scaled_processes_lead_through_the_proxy() -> None:
    assert ingress_path(elastic(REQUESTS)) == {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "kip-shop-web", "port": {"number": 8080}}},
    }
    own = {
        "path": "/",
        "pathType": "ImplementationSpecific",
        "backend": {"service": {"name": "shop-web", "port": {"name": "http-80-5000"}}},
    }
    assert ingress_path(elastic(CPU)) == own
    assert ingress_path(elastic(REQUESTS, keda=Keda(frozenset({KEDA})))) == own


@pytest.mark.parametrize(("start", "expected"), [(None, None), (3, 3)])
def test_the_deployment_leaves_its_replicas_to_the_autoscaler(
    start: int | None, expected: int | None
) -> None:
    app = shop(web(2, autoscaling=scaling(start=start)), worker(2), keda=BOTH)
    found = {
        item["metadata"]["name"]: item["spec"].get("replicas")
        for item in objects.build(app)
        if item["kind"] == "Deployment"
    }
    assert found == {"shop-web": expected, "shop-worker": 2}
