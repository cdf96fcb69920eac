"""Apps of the model for the tests of manifests: `shop` is small, `worked_example` is an app with all that is common."""

from collections.abc import Sequence
from typing import Any

from scheduler_k3s.app import App, Image, Port, Process
from scheduler_k3s.secret import Secret

REQUESTS = {"requests": {"cpu": "100m", "memory": "128Mi"}}
HTTP = Port("http", 80, 5000)

NGINX = {
    "access-log-path": "/var/log/nginx/node-js-app-access.log",
    "bind-address-ipv4": "",
    "bind-address-ipv6": "::",
    "client-body-timeout": "60s",
    "client-header-timeout": "60s",
    "client-max-body-size": "1m",
    "disable-custom-config": "false",
    "error-log-path": "/var/log/nginx/node-js-app-error.log",
    "hsts": "true",
    "hsts-include-subdomains": "true",
    "hsts-max-age": "15724800",
    "hsts-preload": "false",
    "keepalive-timeout": "75s",
    "lingering-timeout": "5s",
    "nginx-conf-sigil-path": "nginx.conf.sigil",
    "proxy-buffer-size": "4k",
    "proxy-buffering": "on",
    "proxy-buffers": "8 4k",
    "proxy-busy-buffers-size": "8k",
    "proxy-connect-timeout": "60s",
    "proxy-read-timeout": "60s",
    "proxy-send-timeout": "60s",
    "send-timeout": "60s",
    "underscore-in-headers": "off",
    "x-forwarded-for-value": "$remote_addr",
    "x-forwarded-port-value": "$server_port",
    "x-forwarded-proto-value": "$scheme",
    "x-forwarded-ssl": "",
}
"""What dokku's nginx:report computes for an app of which nothing was set."""


def web(scale: int = 1, ports: Sequence[Port] = (HTTP,), **fields: Any) -> Process:
    port = ports[0].container if ports else 5000
    return Process("web", scale, "1700000000", ports=ports, primary_port=port, resources=REQUESTS, **fields)


def worker(scale: int = 1, **fields: Any) -> Process:
    return Process("worker", scale, "1700000000", primary_port=5000, resources=REQUESTS, **fields)


def shop(*processes: Process, **fields: Any) -> App:
    image = fields.pop("image", Image("registry.example.com/dokku/shop:3"))
    return App("shop", "default", "1700000000", image, list(processes or [web()]), **fields)


def worked_example(**fields: Any) -> App:
    check = {"type": "startup", "path": "/health", "attempts": 3, "wait": 2, "timeout": 30, "initialDelay": 5}
    return App(
        name="node-js-app",
        namespace="default",
        deployment_id="1700000000",
        image=Image("registry.example.com/dokku/node-js-app:3", "herokuish", "/app"),
        processes=[
            web(2, fields.pop("ports", (HTTP,)), args=("/start", "web"), checks=[check]),
            worker(1, args=("/start", "worker")),
        ],
        domains=("node-js-app.example.com",),
        config={"KEY": Secret("val")},
        pull_secrets=["pull-secret-node-js-app"],
        nginx=NGINX,
        pre_stop=5,
        **fields,
    )
