"""Which values properties take. A refused one always names the value, the rule and an example that is accepted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import settings
from scheduler_k3s.errors import PluginError

GOOD = {
    "cert-issuer-kind": ["Issuer", "ClusterIssuer"],
    "cert-issuer-name": ["false", "letsencrypt", "a.b-c.d", "0"],
    "chart-repository-url": ["https://charts.example.com", "http://127.0.0.1:8080/x", "http://[::1]/"],
    "charts-disabled": ["longhorn", "longhorn,keda-add-ons-http"],
    "deploy-timeout": ["300", "300s", "1h5m"],
    "image-pull-secrets": ["one", "one,two.three"],
    "ingress-class": ["nginx", "traefik", "other"],
    "k3s-installer-url": ["https://get.k3s.io"],
    "k3s-release-url": ["https://mirror/k3s"],
    "k3s-version": ["v1.34.4+k3s1", "v1.30.0-rc1+k3s2"],
    "kube-context": ["default", "arn:aws:eks:eu-west-1:1:cluster/x", "admin@cluster one"],
    "kubeconfig-path": ["/etc/rancher/k3s/k3s.yaml"],
    "kustomize-root-path": ["config/kustomize", ".", "deploy/..hidden"],
    "letsencrypt-email-prod": ["admin@example.com", "a.b+c@x-y.example"],
    "letsencrypt-email-stag": ["root@localhost"],
    "letsencrypt-server": ["prod", "production", "stag", "staging", "false"],
    "namespace": ["default", "team-a", "0"],
    "network-interface": ["eth0", "enp0s31f6", "br-1a2b.100"],
    "node-registries": ["true", "0"],
    "node-sysctls-image": ["busybox:1.36", "registry:5000/a/b@sha256:" + "a" * 64],
    "node-sysctls-pause-image": ["registry.k8s.io/pause:3.9"],
    "rollback-on-failure": ["true", "F"],
    "shm-size": ["64Mi", "1G", "1.5Gi", "67108864", "1e6", "2E3"],
    "token": ["3f9c0d81aa", "K10abc::server:secret"],
}
BAD = {
    "cert-issuer-kind": ["issuers", "Cluster Issuer"],
    "cert-issuer-name": ["False", "a_b", "-a", "a..b", "a" * 254],
    "chart-repository-url": [
        "charts.example.com",
        "ftp://x",
        "https://",
        "https://u:p@host/",
        "http://a b",
        "https://x/$(id)",
    ],
    "charts-disabled": ["nginx", "longhorn,,keda", "longhorn;keda"],
    "deploy-timeout": ["soon", "0", "-1s", "5 minutes"],
    "image-pull-secrets": ["One", "a,,b", "../x"],
    "ingress-class": ["NGINX", "a b", "--help"],
    "k3s-installer-url": ["file:///etc/passwd", "https://x/`id`"],
    "k3s-release-url": ["//mirror"],
    "k3s-version": ["1.34.4", "v1.34", "latest", "v1.34.4+k3s1;id", "v1.x.4"],
    "kube-context": ["-n", "a\nb"],
    "kubeconfig-path": ["k3s.yaml", "~/.kube/config", "/a\nb"],
    "kustomize-root-path": ["/etc", "../x", "a/../../b", "a\0b"],
    "letsencrypt-email-prod": ["admin", "a@b@c", "a b@c.d", "@x.y", "a@", "a@x..y"],
    "letsencrypt-email-stag": ["admin@exa mple.com"],
    "letsencrypt-server": ["Prod", "live", "true"],
    "namespace": ["Team", "a.b", "-a", "a-", "a" * 64, "a b", "../x"],
    "network-interface": ["a" * 16, "a/b", "..", "a b", "eth0:1"],
    "node-registries": ["yes", "on"],
    "node-sysctls-image": ["-x", "Busy Box", "a;b", "registry/UPPER"],
    "node-sysctls-pause-image": ["$(id)", ":3.9"],
    "rollback-on-failure": ["maybe", "TRue"],
    "shm-size": ["512m", "-1", "abc", "64MB", "0", "1.2.3Gi", "1KiB", "64 Mi"],
    "token": ["a b", "a\nb", "ü"],
}
each = pytest.mark.parametrize


def test_every_property_is_tried() -> None:
    assert set(GOOD) == set(BAD) == set(settings.SETTINGS)


@each(("name", "value"), [(name, value) for name, found in GOOD.items() for value in found])
def test_accepted_as_it_is(name: str, value: str) -> None:
    assert settings.normalise(name, value) == value


@each(("name", "value"), [(name, value) for name, found in BAD.items() for value in found])
def test_refused_with_the_value(name: str, value: str) -> None:
    with pytest.raises(PluginError) as raised:
        settings.normalise(name, value)
    shown = "*******" if name == "token" else value
    assert raised.value.message.startswith(f"Invalid {name}: {shown}, ")
    assert raised.value.exit_code == 1


@each("name", sorted(set(BAD) - {"cert-issuer-kind", "letsencrypt-server"}))
def test_every_example_of_a_rule_is_accepted(name: str) -> None:
    with pytest.raises(PluginError) as raised:
        settings.normalise(name, BAD[name][0])
    examples = raised.value.message.rsplit("for example ", 1)[1]
    texts = [examples] if name in ("image-pull-secrets", "charts-disabled") else re.split(", | or ", examples)
    assert texts
    for text in texts:
        assert settings.normalise(name, text) == text


@each("spelling", ["issuer", "ISSUER", "clusterissuer", "CLUSTERISSUER", "clusterIssuer"])
def test_the_issuer_kind_takes_any_letter_case(spelling: str) -> None:
    expected = "ClusterIssuer" if "cluster" in spelling.lower() else "Issuer"
    assert settings.normalise("cert-issuer-kind", spelling) == expected


def test_the_literal_refusals() -> None:
    with pytest.raises(
        PluginError, match=r"^Invalid cert-issuer-kind: X, valid values are Issuer and ClusterIssuer$"
    ):
        settings.normalise("cert-issuer-kind", "X")
    with pytest.raises(
        PluginError,
        match=r"^Invalid letsencrypt-server: X, valid values are prod, production, stag, staging, and false$",
    ):
        settings.normalise("letsencrypt-server", "X")


@given(st.sampled_from(sorted(settings.SETTINGS)), st.text(min_size=1, max_size=30))
def test_any_text_is_accepted_or_refused(name: str, text: str) -> None:
    """There is no other exception, and nothing with a line break passes: a log line would show two."""
    try:
        stored = settings.normalise(name, text)
    except PluginError:
        return
    assert "\n" not in stored
    assert settings.normalise(name, stored) == stored
