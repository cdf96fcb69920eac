"""Domains become Ingresses: one each, whatever their names have in common."""

import hashlib
from typing import Any

from scheduler_k3s.app import App, Port, Tls
from scheduler_k3s.manifests.ingress import ingresses
from unit.models import shop, web

Object = dict[str, Any]
PREFIX = "nginx.ingress.kubernetes.io/"


def routes(app: App) -> list[Object]:
    process = app.process("web")
    assert process is not None
    return ingresses(app, process)


def test_one_ingress_per_domain() -> None:
    found = routes(shop(web(), domains=("*.example.com", "a.example.com")))
    assert [item["metadata"]["name"] for item in found] == [
        "shop-web-wildcard-example-com",
        "shop-web-a-example-com",
    ]
    assert [item["spec"]["rules"][0]["host"] for item in found] == ["*.example.com", "a.example.com"]


def test_two_domains_with_one_slug() -> None:
    found = routes(shop(web(), domains=("a-b.com", "a.b.com")))
    digest = hashlib.sha256(b"a.b.com").hexdigest()[:8]
    assert [item["metadata"]["name"] for item in found] == ["shop-web-a-b-com", f"shop-web-a-b-com-{digest}"]
    assert [item["spec"]["rules"][0]["host"] for item in found] == ["a-b.com", "a.b.com"]


def test_each_domain_has_its_certificate() -> None:
    found = routes(shop(web(), domains=("a.com", "b.com"), tls=Tls("tls-shop")))
    assert [item["spec"]["tls"] for item in found] == [
        [{"hosts": ["a.com"], "secretName": "tls-shop"}],
        [{"hosts": ["b.com"], "secretName": "tls-shop"}],
    ]


def test_the_backend_is_the_port_that_routers_prefer() -> None:
    ports = (Port("http", 80, 5000), Port("http", 8080, 6000), Port("https", 443, 5000))
    (ingress,) = routes(shop(web(ports=ports), domains=("a.com",)))
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"] == {"service": {"name": "shop-web", "port": {"name": "https-443-5000"}}}


def test_plain_http_is_not_redirected() -> None:
    (ingress,) = routes(shop(web(), domains=("a.com",)))
    assert "tls" not in ingress["spec"]
    assert not any("ssl-redirect" in name for name in ingress["metadata"]["annotations"])


def test_hosts_are_ascii_and_names_readable() -> None:
    (ingress,) = routes(shop(web(), domains=("münchen.de",), tls=Tls("tls-shop")))
    assert ingress["metadata"]["name"] == "shop-web-munchen-de"
    assert ingress["spec"]["rules"][0]["host"] == "xn--mnchen-3ya.de"
    assert ingress["spec"]["tls"][0]["hosts"] == ["xn--mnchen-3ya.de"]


def test_annotations_of_users_win_over_all_that_is_derived() -> None:
    size, method, redirect = (
        f"{PREFIX}proxy-body-size",
        "dokku.com/ingress-method",
        f"{PREFIX}force-ssl-redirect",
    )
    annotations = {
        "--global.ingress": {size: "1g", redirect: "false", "team": "a"},
        "web.ingress": {size: "2g"},
        "web.deployment": {"not": "here"},
    }
    app = shop(
        web(),
        domains=("a.com",),
        tls=Tls("tls-shop"),
        nginx={"client-max-body-size": "5m"},
        annotations=annotations,
    )
    (ingress,) = routes(app)
    found = ingress["metadata"]["annotations"]
    assert (found[size], found[redirect], found["team"], found[method]) == ("2g", "false", "a", "domains")
    assert "not" not in found
