"""What a deploy asks of the cluster before it routes domains."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.domain_claims import Claim
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import routes
from scheduler_k3s.tools.cluster import ApiError
from scheduler_k3s.tools.resources import Refused
from unit.models import shop, web
from unit.object_api import ObjectApi, serve

INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
ROUTES = "/apis/traefik.io/v1alpha1/ingressroutes"
CONFIGURATION = "/api/v1/namespaces/ingress-nginx/configmaps/ingress-nginx-controller"
SCHEMA = "/openapi/v3/apis/traefik.io/v1alpha1"
BLOG = {
    "metadata": {
        "name": "blog",
        "namespace": "team",
        "annotations": {"dokku.com/managed": "true", "meta.helm.sh/release-name": "blog"},
    }
}
INGRESS = {**BLOG, "spec": {"rules": [{"host": "a.com", "http": {"paths": [{"path": "/"}]}}]}}
ROUTE = {**BLOG, "spec": {"routes": [{"match": "Host(`b.com`)"}]}}


@pytest.fixture(autouse=True)
def lib_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path))


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as served:
        yield served


def claimed(api: ObjectApi) -> list[Claim]:
    return list(routes.read(api.cluster(), "shop", "default").claims)


def test_both_kinds_of_routes_in_all_namespaces_count(api: ObjectApi) -> None:
    api.groups = {INGRESSES: {"items": [INGRESS]}, ROUTES: {"items": [ROUTE]}}
    assert claimed(api) == [
        Claim("a.com", "blog", "Ingress", "team", "blog"),
        Claim("b.com", "blog", "IngressRoute", "team", "blog"),
    ]


def test_a_cluster_without_traefik_has_no_such_routes(api: ObjectApi) -> None:
    api.groups = {INGRESSES: {"items": [INGRESS]}}
    assert [claim.host for claim in claimed(api)] == ["a.com"]


def test_who_may_not_look_everywhere_looks_at_home(api: ObjectApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.groups = {"/apis/networking.k8s.io/v1/namespaces/default/ingresses": {"items": [INGRESS]}}
    answer = api.answer

    def guarded(method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        if path in (INGRESSES, ROUTES):
            return 403, {"reason": "Forbidden", "message": "no"}
        return answer(method, path, query, body)

    monkeypatch.setattr(api, "answer", guarded)
    assert [claim.host for claim in claimed(api)] == ["a.com"]


def test_a_cluster_that_is_down_is_an_error(api: ObjectApi) -> None:
    api.down = 500
    with pytest.raises(ApiError):
        claimed(api)


def test_a_domain_of_another_app_stops_the_deploy(api: ObjectApi) -> None:
    api.groups = {INGRESSES: {"items": [INGRESS]}}
    found = routes.read(api.cluster(), "shop", "default")
    assert routes.check(shop(web(), domains=("b.com",)), found) == []
    with pytest.raises(PluginError, match=r"Domain a\.com of shop belongs to app blog already"):
        routes.check(shop(web(), domains=("a.com",)), found)


@pytest.mark.parametrize(
    ("data", "snippets"),
    [
        (None, True),
        ({}, True),
        ({"allow-snippet-annotations": "true"}, True),
        ({"allow-snippet-annotations": "false"}, False),
    ],
)
def test_ingress_nginx_says_whether_it_takes_snippets(
    api: ObjectApi, data: dict[str, str] | None, snippets: bool
) -> None:
    api.put(CONFIGURATION, data=data)
    assert routes.fitted(api.cluster(), shop(web(), domains=("a.com",))).snippets is snippets


def test_without_its_configuration_the_webhook_is_to_say(api: ObjectApi) -> None:
    assert routes.fitted(api.cluster(), shop(web(), domains=("a.com",))).snippets
    api.down = 403
    assert routes.fitted(api.cluster(), shop(web(), domains=("a.com",))).snippets


def schema(*fields: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"properties": {field: {} for field in fields}}
    spec = {"properties": {"routes": {"type": "array", "items": rule}}}
    route = {"properties": {"spec": spec}}
    return {"components": {"schemas": {"io.traefik.v1alpha1.IngressRoute": route}}}


@pytest.mark.parametrize(("fields", "names_syntax"), [(("match", "syntax"), True), (("match",), False)])
def test_whether_traefik_wants_the_syntax_named(
    api: ObjectApi, fields: tuple[str, ...], names_syntax: bool
) -> None:
    api.groups = {SCHEMA: schema(*fields)}
    app = shop(web(), domains=("*.a.com",), ingress_class="traefik")
    assert routes.fitted(api.cluster(), app).traefik_syntax is names_syntax


@pytest.mark.parametrize(
    ("ingress_class", "domains"), [("traefik", ("a.com",)), ("nginx", ()), ("traefik", ())]
)
def test_nothing_is_asked_that_does_not_matter(
    api: ObjectApi, ingress_class: str, domains: tuple[str, ...]
) -> None:
    app = shop(web(), domains=domains, ingress_class=ingress_class)
    assert routes.fitted(api.cluster(), app) == app
    assert api.asked == []


@pytest.mark.parametrize(
    ("message", "is_about_snippets"),
    [
        (
            'admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: '
            "nginx.ingress.kubernetes.io/server-snippet annotation cannot be used. "
            "Snippet directives are disabled by the Ingress administrator",
            True,
        ),
        (
            "annotation group ConfigurationSnippet contains risky annotation based on ingress configuration",
            True,
        ),
        ('host "a.com" and path "/" is already defined in ingress default/snippet-web', False),
        ('nginx: [emerg] unknown directive "x" in configuration-snippet of /tmp/nginx-cfg:1', False),
        ("exceeded quota", False),
    ],
)
def test_a_refusal_that_is_about_snippets(message: str, is_about_snippets: bool) -> None:
    item = {"kind": "Ingress", "metadata": {"name": "snippet-web"}}
    told = routes.forbids_snippets(shop(web(), domains=("a.com",)), Refused(item, message))
    assert ("forbids snippets" in told) is is_about_snippets


def test_a_refusal_is_taken_as_such_once() -> None:
    refusal = Refused({"kind": "Ingress", "metadata": {"name": "x"}}, "snippets are disabled")
    assert routes.forbids_snippets(shop(web(), snippets=False), refusal) == ""
    other = Refused({"kind": "Service", "metadata": {"name": "x"}}, "snippets are disabled")
    assert routes.forbids_snippets(shop(web()), other) == ""
