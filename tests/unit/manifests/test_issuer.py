"""The ClusterIssuers that the addresses of the host ask for."""

import pytest
from scheduler_k3s.manifests.issuer import cluster_issuers


@pytest.mark.parametrize(
    ("emails", "names"),
    [
        ({}, []),
        ({"prod": "", "stag": ""}, []),
        ({"prod": "p@x.y"}, ["letsencrypt-prod"]),
        ({"prod": "p@x.y", "stag": "s@x.y"}, ["letsencrypt-stag", "letsencrypt-prod"]),
    ],
)
def test_one_issuer_for_each_address(emails: dict[str, str], names: list[str]) -> None:
    assert [issuer["metadata"]["name"] for issuer in cluster_issuers(emails, "nginx")] == names


def test_an_issuer() -> None:
    (issuer,) = cluster_issuers({"stag": "s@x.y"}, "traefik")
    assert issuer == {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": "letsencrypt-stag", "annotations": {"dokku.com/managed": "true"}},
        "spec": {
            "acme": {
                "email": "s@x.y",
                "server": "https://acme-staging-v02.api.letsencrypt.org/directory",
                "privateKeySecretRef": {"name": "letsencrypt-stag"},
                "solvers": [{"http01": {"ingress": {"class": "traefik"}}}],
            }
        },
    }
