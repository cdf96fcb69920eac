"""All objects of one app, written out by hand: a herokuish app with web=2, worker=1, a check and a domain."""

from typing import Any

from scheduler_k3s.app import App, Port, Tls, web_ports
from scheduler_k3s.manifests import objects, secret
from unit.models import HTTP, NGINX, shop, web, worked_example, worker

Object = dict[str, Any]

NGINX_PREFIX = "nginx.ingress.kubernetes.io/"
IMAGE = "registry.example.com/dokku/node-js-app:3"


def labels(name: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/instance": f"node-js-app-{name}",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "node-js-app",
    }


def deployment(type_: str, replicas: int, container: Object, spec: Object, pod: Object) -> Object:
    name = f"node-js-app-{type_}"
    annotations = {
        "app.kubernetes.io/version": "1700000000",
        "dokku.com/builder-type": "herokuish",
        "dokku.com/managed": "true",
        "kubectl.kubernetes.io/default-container": name,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": labels(type_),
            "annotations": annotations,
        },
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 300,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "selector": {"matchLabels": labels(type_)},
            "template": {
                "metadata": {"labels": labels(type_), "annotations": annotations},
                "spec": {
                    "serviceAccountName": "node-js-app",
                    "imagePullSecrets": [{"name": "pull-secret-node-js-app"}],
                    "containers": [
                        {
                            "name": name,
                            "image": IMAGE,
                            "imagePullPolicy": "Always",
                            "args": ["/start", type_],
                            "workingDir": "/app",
                            "envFrom": [{"secretRef": {"name": "config-node-js-app", "optional": True}}],
                            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                            **container,
                        }
                    ],
                    **pod,
                },
            },
            **spec,
        },
    }


ACCOUNT: Object = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {
        "name": "node-js-app",
        "namespace": "default",
        "labels": {
            "app.kubernetes.io/instance": "service-account",
            "app.kubernetes.io/name": "service-account",
            "app.kubernetes.io/part-of": "node-js-app",
        },
        "annotations": {"dokku.com/managed": "true"},
    },
}
SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "node-js-app-web",
        "namespace": "default",
        "labels": labels("web"),
        "annotations": {"dokku.com/managed": "true"},
    },
    "spec": {
        "ports": [{"name": "http-80-5000", "port": 80, "targetPort": 5000, "protocol": "TCP"}],
        "selector": labels("web"),
    },
}
WEB = deployment(
    "web",
    2,
    container={
        "env": [{"name": "PORT", "value": "5000"}],
        "ports": [{"containerPort": 5000, "name": "http-80-5000", "protocol": "TCP"}],
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "startupProbe": {
            "httpGet": {"path": "/health", "port": 5000},
            "initialDelaySeconds": 5,
            "periodSeconds": 2,
            "timeoutSeconds": 30,
            "failureThreshold": 3,
            "successThreshold": 1,
        },
    },
    spec={},
    pod={"terminationGracePeriodSeconds": 35},
)
WORKER = deployment(
    "worker", 1, container={}, spec={"minReadySeconds": 10}, pod={"terminationGracePeriodSeconds": 30}
)
INGRESS: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {
        "name": "node-js-app-web-node-js-app-example-com",
        "namespace": "default",
        "labels": labels("web"),
        "annotations": {
            "dokku.com/managed": "true",
            "dokku.com/ingress-method": "domains",
            f"{NGINX_PREFIX}proxy-body-size": "1m",
            f"{NGINX_PREFIX}proxy-buffer-size": "4k",
            f"{NGINX_PREFIX}proxy-buffering": "on",
            f"{NGINX_PREFIX}proxy-buffers-number": "8",
            f"{NGINX_PREFIX}proxy-buffers-size": "4k",
            f"{NGINX_PREFIX}proxy-connect-timeout": "60",
            f"{NGINX_PREFIX}proxy-read-timeout": "60",
            f"{NGINX_PREFIX}proxy-send-timeout": "60",
            f"{NGINX_PREFIX}configuration-snippet": "proxy_busy_buffers_size 8k;\n",
            f"{NGINX_PREFIX}server-snippet": (
                "access_log /var/log/nginx/node-js-app-access.log;\n"
                "client_body_timeout 60s;\n"
                "client_header_timeout 60s;\n"
                "error_log /var/log/nginx/node-js-app-error.log;\n"
                "keepalive_timeout 75s;\n"
                "lingering_timeout 5s;\n"
                "send_timeout 60s;\n"
                "underscores_in_headers off;\n"
            ),
        },
    },
    "spec": {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "node-js-app.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "ImplementationSpecific",
                            "backend": {
                                "service": {"name": "node-js-app-web", "port": {"name": "http-80-5000"}}
                            },
                        }
                    ]
                },
            }
        ],
    },
}


def kinds(app: App) -> list[str]:
    return [f"{item['kind']} {item['metadata']['name']}" for item in objects.build(app)]


def test_the_worked_example() -> None:
    assert objects.build(worked_example()) == [ACCOUNT, SERVICE, WEB, WORKER, INGRESS]


def test_the_worked_example_s_secrets() -> None:
    app = worked_example()
    config = secret.config(app)
    assert config == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "config-node-js-app",
            "namespace": "default",
            "labels": {
                "app.kubernetes.io/name": "config-node-js-app",
                "app.kubernetes.io/part-of": "node-js-app",
            },
            "annotations": {"dokku.com/managed": "true"},
        },
        "type": "Opaque",
        "data": {"KEY": "dmFs"},
    }
    pull = secret.pull_secret(app, b"{}")
    assert pull == {
        **config,
        "metadata": {
            **config["metadata"],
            "name": "pull-secret-node-js-app",
            "labels": {
                "app.kubernetes.io/name": "pull-secret-node-js-app",
                "app.kubernetes.io/part-of": "node-js-app",
            },
        },
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": "e30="},
    }


def test_the_worked_example_with_tls() -> None:
    ports = web_ports((HTTP,), tls=True)
    account, service, web_, worker_, ingress = objects.build(
        worked_example(ports=ports, tls=Tls("tls-node-js-app-web"))
    )
    assert (account, web_, worker_) == (ACCOUNT, WEB, WORKER)
    assert service["spec"]["ports"] == [
        {"name": "http-80-5000", "port": 80, "targetPort": 5000, "protocol": "TCP"},
        {"name": "https-443-5000", "port": 443, "targetPort": 5000, "protocol": "TCP"},
    ]
    assert ingress["metadata"]["annotations"] == {
        **INGRESS["metadata"]["annotations"],
        f"{NGINX_PREFIX}force-ssl-redirect": "true",
    }
    assert ingress["spec"]["tls"] == [
        {"hosts": ["node-js-app.example.com"], "secretName": "tls-node-js-app-web"}
    ]
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["port"] == {"name": "https-443-5000"}


def test_what_a_process_type_gets() -> None:
    app = shop(web(0), worker(0), domains=("a.example.com",))
    assert kinds(app) == [
        "ServiceAccount shop",
        "Service shop-web",
        "Deployment shop-web",
        "Deployment shop-worker",
        "Ingress shop-web-a-example-com",
    ]
    assert [item["spec"]["replicas"] for item in objects.build(app)[2:4]] == [0, 0]


def test_an_exposed_process_has_a_service_and_no_route() -> None:
    exposed = worker(ports=(Port("http", 5000, 5000),))
    app = shop(exposed, domains=("a.example.com",))
    assert kinds(app) == ["ServiceAccount shop", "Service shop-worker", "Deployment shop-worker"]
    service = objects.build(app)[1]
    assert service["spec"]["ports"] == [
        {"name": "http-5000-5000", "port": 5000, "targetPort": 5000, "protocol": "TCP"}
    ]
    assert service["spec"]["selector"]["app.kubernetes.io/instance"] == "shop-worker"


def test_web_without_a_port_has_neither_service_nor_route() -> None:
    app = shop(web(ports=()), domains=("a.example.com",))
    assert kinds(app) == ["ServiceAccount shop", "Deployment shop-web"]


def test_nginx_routes_only_for_its_ingress_class() -> None:
    assert not any(kind.startswith("Ingress ") for kind in kinds(worked_example(ingress_class="traefik")))


def test_a_service_speaks_tcp_also_for_udp_maps() -> None:
    service = objects.build(shop(web(ports=(Port("udp", 53, 80),))))[1]
    assert service["spec"]["ports"] == [
        {"name": "udp-53-80", "port": 53, "targetPort": 80, "protocol": "TCP"}
    ]


def test_warnings_name_the_place_and_the_key() -> None:
    listening = {"type": "startup", "listening": True}
    annotations = {
        "--global.ingress": {f"{NGINX_PREFIX}proxy-body-size": "9m", "other": "x"},
        "web.ingress": {f"{NGINX_PREFIX}server-snippet": "deny all;"},
    }
    app = shop(
        web(checks=[listening, listening]), domains=("a.example.com",), nginx=NGINX, annotations=annotations
    )
    checks, replaced = objects.warnings(app)
    assert "healthchecks.web has 2 startup checks" in checks
    assert replaced.endswith(f": {NGINX_PREFIX}proxy-body-size, {NGINX_PREFIX}server-snippet")
    assert objects.warnings(worked_example()) == []
