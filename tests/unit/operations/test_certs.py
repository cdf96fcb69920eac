"""Whether the routes of a release name the imported certificate, in both kinds of routes."""

import json
from typing import Any

import pytest
from scheduler_k3s.dokku import properties
from scheduler_k3s.operations import certs
from scheduler_k3s.tools import release
from unit.dokku_host import Host
from unit.helm_records import content, record


def released(*routes: dict[str, Any]) -> release.Release:
    manifest = "".join(f"---\n{json.dumps(item)}\n" for item in routes)
    return release.decode(record(content(manifest=manifest)))


def ingress(*secrets: str) -> dict[str, Any]:
    spec = {"tls": [{"secretName": name} for name in secrets]} if secrets else {}
    return {"kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "metadata": {"name": "a"}, "spec": spec}


def route(secret: str = "") -> dict[str, Any]:
    spec = {"tls": {"secretName": secret}} if secret else {}
    return {
        "kind": "IngressRoute",
        "apiVersion": "traefik.io/v1alpha1",
        "metadata": {"name": "b"},
        "spec": spec,
    }


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([], ""),
        ([ingress()], "plain"),
        ([ingress("tls-shop-web")], "plain"),
        ([ingress("tls-shop")], "secured"),
        ([route()], "plain"),
        ([route(), route("tls-shop")], "secured"),
    ],
)
def test_routes_tell_which_certificate_they_show(routes: list[dict[str, Any]], expected: str) -> None:
    assert certs._routes(released(*routes), "shop") == expected


def test_a_directory_that_is_no_app_keeps_no_installation_from_its_end(dokku: Host) -> None:
    (dokku.root / "lost+found").mkdir()
    dokku.store("--global", "kubeconfig-path", "/nowhere")
    properties.write("--global", "selected", "k3s", plugin="scheduler")
    certs.sync_all()


def test_an_app_that_was_never_deployed_has_none() -> None:
    assert certs._routes(None, "shop") == ""
