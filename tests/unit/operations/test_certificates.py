"""Where an app's certificate comes from, asked of property files and of an API."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.app import Tls
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import certificates
from unit.object_api import ObjectApi, serve

SECRETS = "/api/v1/namespaces/team/secrets"
ISSUERS = "/apis/cert-manager.io/v1"


@pytest.fixture(autouse=True)
def lib_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path))


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as served:
        yield served


def read(api: ObjectApi) -> tuple[Tls, list[str]]:
    found = certificates.read(api.cluster(), "shop", "team")
    return found.tls, found.told


def imported(api: ObjectApi) -> None:
    labels = {"owner": "helm", "name": "tls-shop", "version": "1", "status": "deployed"}
    api.put(f"{SECRETS}/sh.helm.release.v1.tls-shop.v1", metadata={"labels": labels})


def test_nothing_is_set(api: ObjectApi) -> None:
    assert read(api) == (Tls(), [])


def test_an_imported_certificate(api: ObjectApi) -> None:
    imported(api)
    properties.write("--global", "letsencrypt-email-prod", "p@x.y")
    assert read(api)[0].secret == "tls-shop-web"
    properties.write("shop", "tls-cert-imported", "true")
    assert read(api) == (Tls("tls-shop"), [])


def test_an_imported_certificate_that_is_not_in_the_cluster(api: ObjectApi) -> None:
    properties.write("shop", "tls-cert-imported", "true")
    found, (told,) = read(api)
    assert found == Tls()
    assert "The certificate imported for shop is not in namespace team" in told
    assert "dokku certs:update shop" in told


@pytest.mark.parametrize(
    ("kind", "path", "missing"),
    [
        ("ClusterIssuer", f"{ISSUERS}/clusterissuers/internal", "ClusterIssuer internal not found, "),
        (
            "Issuer",
            f"{ISSUERS}/namespaces/team/issuers/internal",
            "Issuer internal not found in namespace team, ",
        ),
    ],
)
def test_an_issuer_that_is_missing_is_told(api: ObjectApi, kind: str, path: str, missing: str) -> None:
    properties.write("--global", "cert-issuer-name", "internal")
    properties.write("shop", "cert-issuer-kind", kind)
    wanted = Tls("tls-shop-web", kind, "internal")
    assert read(api) == (wanted, [f"{missing}certificates will not be issued for shop"])
    api.put(path)
    assert read(api) == (wanted, [])
    api.down = 403
    assert certificates.missing_issuer(api.cluster(), "shop", "team", wanted) == []


def test_an_app_s_own_issuer_is_not_looked_for(api: ObjectApi) -> None:
    properties.write("shop", "letsencrypt-email-prod", "me@x.y")
    assert read(api) == (Tls("tls-shop-web", "Issuer", "shop-letsencrypt-prod", "prod", "me@x.y"), [])
    assert api.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("letsencrypt-server", "test"), ("cert-issuer-name", "A_B"), ("letsencrypt-email-prod", "me")],
)
def test_a_property_that_breaks_its_rule_is_named(api: ObjectApi, name: str, value: str) -> None:
    properties.write("shop", name, value)
    with pytest.raises(PluginError, match=f"Invalid {name}: {value}"):
        read(api)


def use(api: ObjectApi, directory: Path) -> None:
    config = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": api.url}}],
        "users": [{"name": "u", "user": {}}],
    }
    (directory / "kubeconfig").write_text(json.dumps(config))
    properties.write("--global", "kubeconfig-path", str(directory / "kubeconfig"))
    properties.write("shop", "namespace", "team")


def test_before_a_build_a_missing_issuer_of_the_operator_is_told(api: ObjectApi, tmp_path: Path) -> None:
    use(api, tmp_path)
    properties.write("--global", "letsencrypt-email-prod", "p@x.y")
    assert certificates.operator_issuer_warnings("shop") == []
    assert api.asked == []
    properties.write("shop", "cert-issuer-name", "internal")
    missing = "ClusterIssuer internal not found, certificates will not be issued for shop"
    assert certificates.operator_issuer_warnings("shop") == [missing]
    properties.write("shop", "letsencrypt-server", "false")
    assert certificates.operator_issuer_warnings("shop") == []


def test_before_a_build_no_cluster_is_no_matter(api: ObjectApi, tmp_path: Path) -> None:
    use(api, tmp_path)
    properties.write("shop", "cert-issuer-name", "internal")
    api.down = 500
    assert certificates.operator_issuer_warnings("shop") == []
    properties.write("--global", "kubeconfig-path", str(tmp_path / "none"))
    assert certificates.operator_issuer_warnings("shop") == []
