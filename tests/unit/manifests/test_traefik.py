"""Routes for the ingress class traefik, written out by hand."""

from typing import Any

import pytest
from scheduler_k3s.app import App, Port, Tls, web_ports
from scheduler_k3s.manifests.traefik import routes
from unit.models import HTTP, shop, web

Object = dict[str, Any]

LABELS = {
    "app.kubernetes.io/instance": "shop-web",
    "app.kubernetes.io/name": "web",
    "app.kubernetes.io/part-of": "shop",
}
MANAGED = {"dokku.com/managed": "true"}
SERVICE = {
    "name": "shop-web",
    "namespace": "default",
    "passHostHeader": True,
    "port": "http-80-5000",
    "scheme": "http",
}
COMPRESSION = {"name": "shop-web-compression", "namespace": "default"}
REDIRECT = {"name": "shop-web-redirect-to-https", "namespace": "default"}


def app(*domains: str, ports: tuple[Port, ...] = (HTTP,), tls: bool = False, **fields: Any) -> App:
    secret = Tls("tls-shop-web" if tls else "")
    return shop(
        web(ports=web_ports(ports, tls)), domains=domains, ingress_class="traefik", tls=secret, **fields
    )


def made(app: App) -> list[Object]:
    process = app.process("web")
    assert process is not None
    return routes(app, process)


def names(app: App) -> list[str]:
    return [f"{item['kind']} {item['metadata']['name']}" for item in made(app)]


def test_plain_http() -> None:
    compression, redirect, route = made(app("a.com"))
    assert compression == {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": {
            "name": "shop-web-compression",
            "namespace": "default",
            "labels": {**LABELS, "app.kubernetes.io/instance": "shop-web-compression"},
            "annotations": MANAGED,
        },
        "spec": {"compress": {}},
    }
    assert redirect == {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": {
            "name": "shop-web-redirect-to-https",
            "namespace": "default",
            "labels": {**LABELS, "app.kubernetes.io/instance": "shop-web-redirect-to-https"},
            "annotations": MANAGED,
        },
        "spec": {"redirectScheme": {"scheme": "https", "permanent": True}},
    }
    assert route == {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {
            "name": "shop-web-http-80-5000",
            "namespace": "default",
            "labels": LABELS,
            "annotations": MANAGED,
        },
        "spec": {
            "entryPoints": ["web"],
            "routes": [
                {
                    "kind": "Rule",
                    "match": "Host(`a.com`)",
                    "middlewares": [COMPRESSION],
                    "services": [SERVICE],
                }
            ],
        },
    }


def test_with_tls_there_is_a_second_route_and_the_first_redirects() -> None:
    _, _, plain, secure = made(app("a.com", tls=True))
    assert plain["metadata"]["name"] == "shop-web-http-80-5000"
    assert plain["spec"]["routes"][0]["middlewares"] == [COMPRESSION, REDIRECT]
    assert "tls" not in plain["spec"]
    assert secure["metadata"]["name"] == "shop-web-http-80-5000-websecure"
    assert secure["spec"] == {
        "entryPoints": ["websecure"],
        "routes": [
            {"kind": "Rule", "match": "Host(`a.com`)", "middlewares": [COMPRESSION], "services": [SERVICE]}
        ],
        "tls": {"secretName": "tls-shop-web"},
    }


def test_each_domain_has_a_rule() -> None:
    route = made(app("a.com", "münchen.de"))[2]
    assert [rule["match"] for rule in route["spec"]["routes"]] == [
        "Host(`a.com`)",
        "Host(`xn--mnchen-3ya.de`)",
    ]


@pytest.mark.parametrize(("names_syntax", "extra"), [(False, {}), (True, {"syntax": "v2"})])
def test_wildcards_stand_for_one_label_and_come_last(names_syntax: bool, extra: Object) -> None:
    route = made(app("*.a.com", "b.a.com", traefik_syntax=names_syntax))[2]
    wildcard, plain = route["spec"]["routes"]
    assert wildcard == {
        "kind": "Rule",
        "match": "HostRegexp(`{subdomain:[^.]+}.a.com`)",
        "priority": 1,
        "middlewares": [COMPRESSION],
        "services": [SERVICE],
        **extra,
    }
    assert "priority" not in plain
    assert "syntax" not in plain


def test_a_route_per_port_but_none_for_the_https_half() -> None:
    ports = (HTTP, Port("http", 8080, 6000), Port("https", 8443, 7000))
    assert names(app("a.com", ports=ports))[2:] == [
        "IngressRoute shop-web-http-80-5000",
        "IngressRoute shop-web-http-8080-6000",
        "IngressRoute shop-web-https-8443-7000",
    ]
    assert names(app("a.com", ports=(HTTP, Port("https", 443, 5000)), tls=True))[2:] == [
        "IngressRoute shop-web-http-80-5000",
        "IngressRoute shop-web-http-80-5000-websecure",
    ]


def test_without_a_domain_there_is_nothing() -> None:
    assert made(app()) == []


def test_labels_and_annotations_of_their_resource_types() -> None:
    maps = {"web.traefik_middleware": {"m": "1"}, "--global.traefik_ingressroute": {"r": "2"}}
    compression, redirect, route = made(app("a.com", labels=maps, annotations=maps))
    for part in ("labels", "annotations"):
        assert [item["metadata"][part].get("m") for item in (compression, redirect, route)] == [
            "1",
            "1",
            None,
        ]
        assert [item["metadata"][part].get("r") for item in (compression, redirect, route)] == [
            None,
            None,
            "2",
        ]
