"""Where a certificate comes from: the first source that applies."""

import pytest
from scheduler_k3s import tls
from scheduler_k3s.app import Tls

DEFAULTS = {
    "letsencrypt-server": "prod",
    "cert-issuer-name": "",
    "cert-issuer-kind": "ClusterIssuer",
    "letsencrypt-email-prod": "",
    "letsencrypt-email-stag": "",
}
BOTH = {"letsencrypt-email-prod": "p@x.y", "letsencrypt-email-stag": "s@x.y"}
PROD = Tls("tls-shop-web", "ClusterIssuer", "letsencrypt-prod")
STAG = Tls("tls-shop-web", "ClusterIssuer", "letsencrypt-stag")
OWN = Tls("tls-shop-web", "ClusterIssuer", "internal")


def decided(settings: dict[str, str], own: dict[str, str] | None = None, imported: bool = False) -> Tls:
    return tls.decide("shop", {**DEFAULTS, **settings}, own_emails=own or {}, imported=imported)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, Tls()),
        ({"letsencrypt-email-prod": "p@x.y"}, PROD),
        ({"letsencrypt-email-stag": "s@x.y"}, Tls()),
        ({**BOTH, "letsencrypt-server": "production"}, PROD),
        ({**BOTH, "letsencrypt-server": "stag"}, STAG),
        ({**BOTH, "letsencrypt-server": "staging"}, STAG),
        ({"letsencrypt-email-prod": "p@x.y", "letsencrypt-server": "staging"}, Tls()),
        ({**BOTH, "letsencrypt-server": "false"}, Tls()),
        ({**BOTH, "cert-issuer-name": "internal"}, OWN),
        ({"cert-issuer-name": "internal"}, OWN),
        (
            {"cert-issuer-name": "internal", "cert-issuer-kind": "Issuer"},
            Tls("tls-shop-web", "Issuer", "internal"),
        ),
        ({"cert-issuer-name": "internal", "letsencrypt-server": "false"}, Tls()),
        ({"cert-issuer-name": "false"}, Tls()),
        ({**BOTH, "cert-issuer-name": "false"}, PROD),
    ],
)
def test_the_first_source_that_applies(settings: dict[str, str], expected: Tls) -> None:
    assert decided(settings) == expected


@pytest.mark.parametrize("settings", [{}, BOTH, {"cert-issuer-name": "x"}, {"letsencrypt-server": "false"}])
def test_an_imported_certificate_wins(settings: dict[str, str]) -> None:
    assert decided(settings, BOTH, imported=True) == Tls("tls-shop")


def test_an_app_with_its_own_address_has_its_own_issuer() -> None:
    own = {"letsencrypt-email-prod": "me@x.y", "letsencrypt-email-stag": ""}
    computed = {**BOTH, "letsencrypt-email-prod": "me@x.y"}
    assert decided(computed, own) == Tls("tls-shop-web", "Issuer", "shop-letsencrypt-prod", "prod", "me@x.y")
    assert decided({**computed, "letsencrypt-server": "stag"}, own) == STAG
