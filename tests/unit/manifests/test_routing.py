"""Which routing objects an app has, and its Certificate."""

from typing import Any

import pytest
from scheduler_k3s.app import App, Port, Tls
from scheduler_k3s.manifests import routing
from unit.models import NGINX, shop, web, worker

CLUSTER_ISSUER = Tls("tls-shop-web", "ClusterIssuer", "letsencrypt-prod")
OWN_ISSUER = Tls("tls-shop-web", "Issuer", "shop-letsencrypt-stag", "stag", "me@x.y")
PREFIX = "nginx.ingress.kubernetes.io/"


def app(*domains: str, ingress_class: str = "nginx", tls: Tls = CLUSTER_ISSUER, **fields: Any) -> App:
    return shop(fields.pop("process", web()), domains=domains, ingress_class=ingress_class, tls=tls, **fields)


def kinds(app: App) -> list[str]:
    return [item["kind"] for item in routing.objects(app)]


def test_the_certificate() -> None:
    labels = {"app.kubernetes.io/name": "shop-web", "app.kubernetes.io/part-of": "shop"}
    certificate = routing.objects(app("*.a.com", "007", "münchen.de"))[0]
    assert certificate == {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {
            "name": "shop-web",
            "namespace": "default",
            "labels": labels,
            "annotations": {"dokku.com/managed": "true"},
        },
        "spec": {
            "dnsNames": ["*.a.com", "007", "xn--mnchen-3ya.de"],
            "issuerRef": {"kind": "ClusterIssuer", "name": "letsencrypt-prod"},
            "secretName": "tls-shop-web",
            "secretTemplate": {"annotations": {"dokku.com/managed": "true"}, "labels": labels},
        },
    }


def test_labels_and_annotations_of_users() -> None:
    maps = {"--global.certificate": {"c": "1"}, "web.secret": {"s": "2"}}
    certificate = routing.objects(app("a.com", labels=maps, annotations=maps))[0]
    assert certificate["metadata"]["labels"]["c"] == "1"
    assert certificate["metadata"]["annotations"]["c"] == "1"
    template = certificate["spec"]["secretTemplate"]
    assert template["labels"]["s"] == "2"
    assert "s" not in template["annotations"]


def test_the_issuer_of_an_app_with_its_own_address() -> None:
    maps = {"--global.issuer": {"i": "1"}, "web.certificate": {"c": "1"}}
    issuer, certificate, _ = routing.objects(app("a.com", tls=OWN_ISSUER, labels=maps))
    assert issuer == {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {
            "name": "shop-letsencrypt-stag",
            "namespace": "default",
            "labels": {
                "app.kubernetes.io/name": "shop-letsencrypt-stag",
                "app.kubernetes.io/part-of": "shop",
            },
            "annotations": {"dokku.com/managed": "true"},
        },
        "spec": {
            "acme": {
                "email": "me@x.y",
                "server": "https://acme-staging-v02.api.letsencrypt.org/directory",
                "privateKeySecretRef": {"name": "shop-letsencrypt-stag"},
                "solvers": [{"http01": {"ingress": {"class": "nginx"}}}],
            }
        },
    }
    assert certificate["spec"]["issuerRef"] == {"kind": "Issuer", "name": "shop-letsencrypt-stag"}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (app("a.com"), ["Certificate", "Ingress"]),
        (app("a.com", "b.com"), ["Certificate", "Ingress", "Ingress"]),
        (app("a.com", tls=Tls("tls-shop")), ["Ingress"]),
        (app("a.com", tls=Tls()), ["Ingress"]),
        (app(), []),
        (app(tls=OWN_ISSUER), ["Issuer"]),
        (app("a.com", tls=OWN_ISSUER, process=worker()), []),
        (app("a.com", process=worker(ports=(Port("http", 5000, 5000),))), []),
        (app("a.com", process=web(ports=())), []),
        (
            app("a.com", ingress_class="traefik"),
            ["Certificate", "Middleware", "Middleware", "IngressRoute", "IngressRoute"],
        ),
        (app("a.com", ingress_class="haproxy", tls=Tls()), []),
    ],
)
def test_which_objects_there_are(known: App, expected: list[str]) -> None:
    assert kinds(known) == expected


def test_an_ingress_class_that_is_not_known_is_told() -> None:
    (told,) = routing.warnings(app("a.com", ingress_class="haproxy"))
    assert "haproxy" in told
    assert "dokku scheduler-k3s:set --global ingress-class" in told
    assert routing.warnings(app(ingress_class="haproxy")) == []
    assert routing.warnings(app("a.com", ingress_class="traefik")) == []


def test_a_cluster_without_snippets_gets_none_and_it_is_said_once() -> None:
    known = app("a.com", "b.com", tls=Tls(), nginx=NGINX, snippets=False)
    for item in routing.objects(known):
        annotations = item["metadata"]["annotations"]
        assert not [name for name in annotations if "snippet" in name]
        assert annotations[f"{PREFIX}proxy-body-size"] == "1m"
    (told,) = routing.warnings(known)
    assert "forbids snippets" in told
    assert "controller.allowSnippetAnnotations" in told


def test_nothing_is_said_where_no_snippet_is_left_out() -> None:
    assert routing.warnings(app("a.com", snippets=False)) == []


def test_snippets_of_users_are_theirs() -> None:
    own = {"web.ingress": {f"{PREFIX}server-snippet": "deny all;"}}
    (ingress,) = routing.objects(app("a.com", tls=Tls(), annotations=own, snippets=False))
    assert ingress["metadata"]["annotations"][f"{PREFIX}server-snippet"] == "deny all;"
