"""What leads to an app from outside: through a real nginx, as Ingress and as Traefik's routes, with TLS."""

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from rig import images
from rig.cluster import Cluster, eventually
from rig.fetch import Answer
from rig.host import Host

from .apps import app, domain, get, left_over

pytestmark = pytest.mark.cluster

TRAEFIK = ("traefik.io", "v1alpha1", "default")
CERT_MANAGER = ("cert-manager.io", "v1", "default")


def named(cluster: Cluster, name: str, group: tuple[str, str, str], plural: str) -> list[str]:
    """The custom objects of an app."""
    found: Any = client.CustomObjectsApi(cluster.api).list_namespaced_custom_object(
        *group, plural, label_selector=f"app.kubernetes.io/part-of={name}"
    )
    return sorted(item["metadata"]["name"] for item in found["items"])


def ingresses(cluster: Cluster, name: str) -> list[Any]:
    api = client.NetworkingV1Api(cluster.api)
    labels = f"app.kubernetes.io/part-of={name}"
    return list(api.list_namespaced_ingress("default", label_selector=labels).items)


def test_nginx_properties_reach_nginx(host: Host, cluster: Cluster) -> None:
    headers = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nenv\n"
    image = images.build(
        "rig/headers:v1",
        files={
            "app/bin/web": "#!/bin/sh\nexec httpd -f -p $PORT -h /app/www\n",
            "app/www/cgi-bin/headers": headers,
        },
        cmd=["/app/bin/web"],
    )
    with app(host, "proxied") as name:
        host.dokku("nginx:set", name, "client-max-body-size", "1k")
        host.dokku("nginx:set", name, "x-forwarded-ssl", "maybe")
        host.dokku("git:from-image", name, image)
        lines = eventually(lambda: get(name, "/cgi-bin/headers")).splitlines()
        assert "HTTP_X_FORWARDED_SSL=maybe" in lines
        url = f"http://{domain(name)}/cgi-bin/headers"
        assert cluster.fetch(url, method="POST", body=b"x" * 1025).status == 413
        assert f"server_name {domain(name)};" in host.dokku("nginx:show-config", name).stdout
        assert '"POST /cgi-bin/headers' in host.dokku("nginx:access-logs", name).stdout
        host.dokku("nginx:set", name, "client-body-timeout", "soon")
        host.dokku("ps:restart", name)
        (ingress,) = ingresses(cluster, name)
        selector = f"involvedObject.name={ingress.metadata.name}"

        def refusals() -> list[str]:
            events = cluster.core.list_namespaced_event("default", field_selector=selector).items
            return [event.message for event in events if event.reason == "Refused"]

        assert any('"client_body_timeout" directive invalid value' in text for text in eventually(refusals))
        assert cluster.fetch(url).status == 200


def test_traefik_routes_with_an_issuer_of_the_app_s_own(
    host: Host, cluster: Cluster, sample_image: str, tmp_path: Path
) -> None:
    with app(host, "traefik") as name:
        wildcard = f"*.{domain(name)}"
        host.dokku("domains:add", name, wildcard)
        host.dokku("scheduler-k3s:set", name, "letsencrypt-email-prod", "me@example.com")
        with ingress_class(host, "traefik"):
            host.dokku("git:from-image", name, sample_image)
            assert named(cluster, name, CERT_MANAGER, "issuers") == ["traefik-letsencrypt-prod"]
            assert named(cluster, name, CERT_MANAGER, "certificates") == ["traefik-web"]
            assert len(named(cluster, name, TRAEFIK, "ingressroutes")) == 2
            certificate = issued(cluster, f"tls-{name}-web", domain(name), tmp_path)
            try:
                url = f"https://{domain(name)}/health"
                eventually(lambda: asked(cluster, url, 200).certificate == certificate)
                plain = asked(cluster, f"http://{domain(name)}/health", 301)
                assert plain.headers["location"] == f"https://{domain(name)}/health"
                asked(cluster, f"https://any.{domain(name)}/health", 200)
                asked(cluster, f"https://one.more.{domain(name)}/health", 404)
            finally:
                cluster.core.delete_namespaced_secret(f"tls-{name}-web", "default")
        host.dokku("ps:restart", name)
        assert named(cluster, name, TRAEFIK, "ingressroutes") == []
        assert named(cluster, name, TRAEFIK, "middlewares") == []
        hosts = {item.spec.rules[0].host for item in ingresses(cluster, name)}
        assert hosts == {domain(name), wildcard}


def test_a_cluster_that_forbids_snippets_gets_none(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "nosnip") as name, forbidding_snippets(cluster, name):
        done = host.dokku("git:from-image", name, sample_image)
        assert done.stderr.count("forbids snippets") == 1
        (ingress,) = ingresses(cluster, name)
        assert not [key for key in ingress.metadata.annotations if "snippet" in key]
        assert ingress.metadata.annotations["nginx.ingress.kubernetes.io/proxy-body-size"] == "1m"
        eventually(lambda: get(name))


def test_a_domain_belongs_to_the_app_that_came_first(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "firstcome") as first, app(host, "latecomer") as second:
        host.dokku("git:from-image", first, sample_image)
        host.dokku("domains:add", second, domain(first).upper())
        done = host.dokku("git:from-image", second, sample_image, check=False)
        assert done.returncode != 0
        assert f"of {second} belongs to app {first} already" in done.stderr
        assert not left_over(cluster, second)
        assert f"from {first}-web-" in eventually(lambda: get(first))


@contextmanager
def ingress_class(host: Host, name: str) -> Iterator[None]:
    host.dokku("scheduler-k3s:set", "--global", "ingress-class", name)
    try:
        yield
    finally:
        host.dokku("scheduler-k3s:set", "--global", "ingress-class")


def asked(cluster: Cluster, url: str, status: int) -> Answer:
    def answer() -> Answer:
        found = cluster.fetch(url)
        assert found.status == status, found
        return found

    return eventually(answer)


def issued(cluster: Cluster, secret: str, host: str, folder: Path) -> str:
    """What cert-manager would do: a certificate for the host in the Secret that the Certificate names."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    subject = ["-subj", f"/CN={host}", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *options, *subject], check=True, capture_output=True, timeout=120
    )
    body = client.V1Secret(
        metadata=client.V1ObjectMeta(name=secret),
        type="kubernetes.io/tls",
        data={path.name: base64.b64encode(path.read_bytes()).decode() for path in (certificate, key)},
    )
    cluster.core.create_namespaced_secret("default", body)
    return certificate.read_text()


@contextmanager
def forbidding_snippets(cluster: Cluster, name: str) -> Iterator[None]:
    """Admission that refuses an app's Ingress with snippets, in the words of ingress-nginx."""
    kinds = {
        "apiGroups": ["networking.k8s.io"],
        "apiVersions": ["v1"],
        "resources": ["ingresses"],
        "operations": ["CREATE", "UPDATE"],
    }
    policy: dict[str, Any] = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [kinds]},
            "matchConditions": [{"name": "app", "expression": f"object.metadata.name.startsWith('{name}-')"}],
            "validations": [
                {
                    "expression": "!object.metadata.annotations.exists(key, key.endsWith('-snippet'))",
                    "message": "server-snippet annotation cannot be used. Snippet directives are disabled",
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    cluster.apply("default", policy, binding)
    try:
        eventually(lambda: refuses(cluster, name))
        yield
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            cluster.kubectl("delete", kind, name)


def refuses(cluster: Cluster, name: str) -> bool:
    """A policy takes the API server a moment to know."""
    annotations = {"nginx.ingress.kubernetes.io/server-snippet": "deny all;"}
    backend = client.V1IngressBackend(
        service=client.V1IngressServiceBackend(name="x", port=client.V1ServiceBackendPort(number=1))
    )
    body = client.V1Ingress(
        metadata=client.V1ObjectMeta(name=f"{name}-probe", annotations=annotations),
        spec=client.V1IngressSpec(default_backend=backend),
    )
    try:
        client.NetworkingV1Api(cluster.api).create_namespaced_ingress("default", body, dry_run="All")
    except client.ApiException:
        return True
    return False
