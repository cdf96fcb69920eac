"""Who routes a host already, read from the cluster's routes."""

from typing import Any

import pytest
from scheduler_k3s import domain_claims
from scheduler_k3s.domain_claims import Claim
from scheduler_k3s.errors import PluginError

Object = dict[str, Any]
HOSTS = {"shop.example.com": "Shop.example.com"}


def made_by(app: str, name: str = "x", namespace: str = "default", **metadata: Any) -> Object:
    annotations = {"dokku.com/managed": "true", "meta.helm.sh/release-name": app} if app else {}
    return {"metadata": {"name": name, "namespace": namespace, "annotations": annotations, **metadata}}


def ingress(app: str, host: str, path: str = "/", **metadata: Any) -> Object:
    rule = {"host": host, "http": {"paths": [{"path": path}]}}
    return {**made_by(app, **metadata), "spec": {"rules": [rule]}}


def route(app: str, match: str) -> Object:
    return {**made_by(app), "spec": {"routes": [{"match": match}]}}


def hosts(item: Object, kind: str = "Ingress") -> list[str]:
    return [claim.host for claim in domain_claims.read([item], kind)]


def test_an_ingress_claims_its_hosts() -> None:
    assert domain_claims.read([ingress("blog", "a.com", name="blog-a", namespace="team")], "Ingress") == [
        Claim("a.com", "blog", "Ingress", "team", "blog-a")
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (ingress("blog", "a.com", ""), ["a.com"]),
        (ingress("blog", "a.com", "/.well-known/acme-challenge/token"), []),
        (ingress("blog", "a.com", deletionTimestamp="2026-01-01T00:00:00Z"), []),
        ({**made_by("blog"), "spec": {"defaultBackend": {}}}, []),
        ({**made_by("blog"), "spec": {"rules": [{"http": {"paths": [{"path": "/"}]}}]}}, []),
        ({**made_by("blog"), "spec": {"rules": [{"host": "a.com"}]}}, []),
    ],
)
def test_what_counts_as_a_claim(item: Object, expected: list[str]) -> None:
    assert hosts(item) == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("Host(`a.com`)", ["a.com"]),
        ("Host(`a.com`) || Host(`b.com`)", ["a.com", "b.com"]),
        ("HostRegexp(`{subdomain:[^.]+}.a.com`)", ["*.a.com"]),
        ("Host(`a.com`) && PathPrefix(`/api`)", []),
        ("HostRegexp(`^.+$`)", []),
    ],
)
def test_a_route_claims_the_hosts_of_its_rules(match: str, expected: list[str]) -> None:
    assert hosts(route("blog", match), "IngressRoute") == expected


def test_a_release_of_somebody_else_is_no_app() -> None:
    item = ingress("blog", "a.com")
    del item["metadata"]["annotations"]["dokku.com/managed"]
    assert domain_claims.read([item], "Ingress")[0].app == ""


def test_a_domain_of_another_app_is_refused_and_both_are_named() -> None:
    taken = domain_claims.read(
        [ingress("blog", "shop.example.com", name="blog-web-x", namespace="team")], "Ingress"
    )
    with pytest.raises(PluginError) as raised:
        domain_claims.check("shop", HOSTS, taken)
    for words in (
        "Domain Shop.example.com of shop belongs to app blog already (Ingress blog-web-x in namespace team)",
        "dokku domains:remove shop Shop.example.com",
        "dokku domains:remove blog Shop.example.com; dokku ps:restart blog",
    ):
        assert words in raised.value.message


def test_a_domain_that_both_have_had_so_far_is_warned_of() -> None:
    both = [ingress("blog", "shop.example.com"), ingress("shop", "shop.example.com")]
    (told,) = domain_claims.check("shop", HOSTS, domain_claims.read(both, "Ingress"))
    assert "routed to both blog and shop" in told


def test_a_route_of_somebody_else_is_warned_of() -> None:
    taken = domain_claims.read([ingress("", "shop.example.com", name="by-hand")], "Ingress")
    (told,) = domain_claims.check("shop", HOSTS, taken)
    assert "also routed by Ingress by-hand in namespace default, which dokku did not make" in told


def test_the_own_routes_and_other_domains_are_no_matter() -> None:
    items = [ingress("shop", "shop.example.com", namespace="old"), ingress("blog", "blog.example.com")]
    assert domain_claims.check("shop", HOSTS, domain_claims.read(items, "Ingress")) == []
