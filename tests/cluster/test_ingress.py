"""The rig's routing: domains of Ingresses and IngressRoutes, answered by pods through a real nginx."""

import base64
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from rig.cluster import Cluster, eventually
from rig.fetch import Answer
from rig.sample_objects import deployment, ingress, service

pytestmark = pytest.mark.cluster


@pytest.fixture
def host() -> str:
    """A domain that no other test has had."""
    return f"{secrets.token_hex(4)}.example.com"


def ask(cluster: Cluster, url: str, status: int = 200, **options: Any) -> Answer:
    """The first answer with this status."""

    def answer() -> Answer:
        found = cluster.fetch(url, **options)
        assert found.status == status, found
        return found

    return eventually(answer)


def test_a_domain_leads_to_the_app(cluster: Cluster, web: str, host: str) -> None:
    cluster.apply(web, ingress(host))
    assert ask(cluster, f"http://{host}/").text.startswith("hello from web-")
    assert ask(cluster, f"https://{host}/").text.startswith("hello from web-")
    address = cluster.kubectl(
        "get", "ingress", "web", f"--namespace={web}", "--output=jsonpath={.status.loadBalancer}"
    )
    assert "127.0.0.1" in address.stdout


def test_an_unknown_domain_is_nobodys(cluster: Cluster, host: str) -> None:
    assert cluster.fetch(f"http://{host}/").status == 404


def test_a_wildcard_stands_for_one_label(cluster: Cluster, web: str, host: str) -> None:
    cluster.apply(web, ingress(f"*.{host}"))
    ask(cluster, f"http://a.{host}/health")
    assert cluster.fetch(f"http://b.a.{host}/health").status == 404
    assert cluster.fetch(f"http://{host}/health").status == 404


def test_an_app_without_ready_pods_is_unavailable(cluster: Cluster, web: str, host: str) -> None:
    cluster.apply(web, ingress(host))
    ask(cluster, f"http://{host}/health")
    cluster.kubectl("scale", "deployment/web", "--replicas=0", f"--namespace={web}")
    ask(cluster, f"http://{host}/health", status=503)


def test_a_rollout_loses_no_request(cluster: Cluster, web: str, host: str, sample_image: str) -> None:
    """The old pod waits before it ends, as long as a router needs to hear of it."""
    cluster.apply(web, ingress(host))
    ask(cluster, f"http://{host}/health")
    patient = deployment(sample_image, lifecycle={"preStop": {"exec": {"command": ["sleep", "3"]}}})
    patient["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 10
    patient["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    cluster.apply(web, patient)
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=180s", f"--namespace={web}")
    patient["spec"]["template"]["metadata"]["annotations"] = {"round": "2"}
    cluster.apply(web, patient)
    names: set[str] = set()
    deadline = time.monotonic() + 60
    while len(names) < 2 or _old_pods(cluster, web):
        answer = cluster.fetch(f"http://{host}/")
        assert answer.status == 200, answer
        names.add(answer.text)
        assert time.monotonic() < deadline, f"the rollout did not end; seen: {names}"


def _old_pods(cluster: Cluster, namespace: str) -> bool:
    pods = cluster.core.list_namespaced_pod(namespace).items
    return any(pod.metadata.deletion_timestamp for pod in pods)


def test_annotations_reach_nginx(cluster: Cluster, web: str, host: str) -> None:
    snippet = 'add_header X-Server "one";'
    cluster.apply(
        web,
        ingress(
            host,
            proxy_body_size="1k",
            server_snippet=snippet,
            configuration_snippet='add_header X-Place "two";',
        ),
    )
    answer = ask(cluster, f"http://{host}/health")
    assert answer.headers["x-place"] == "two"
    assert cluster.fetch(f"http://{host}/health", method="POST", body=b"x" * 1025).status == 413


def test_a_domain_with_a_certificate_redirects_to_it(
    cluster: Cluster, web: str, host: str, tmp_path: Path
) -> None:
    certificate, secret = tls_secret(host, tmp_path)
    routed = ingress(host, force_ssl_redirect="true")
    routed["spec"]["tls"] = [{"hosts": [host], "secretName": "tls"}]
    cluster.apply(web, secret, routed)
    answer = ask(cluster, f"http://{host}/health?a=1", status=308)
    assert answer.headers["location"] == f"https://{host}/health?a=1"
    assert ask(cluster, f"https://{host}/health").certificate == certificate


def tls_secret(host: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """A self-signed certificate in PEM, and it with its key as a Secret named `tls`."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    subject = ["-subj", f"/CN={host}", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *options, *subject], check=True, capture_output=True, timeout=120
    )
    data = {path.name: base64.b64encode(path.read_bytes()).decode() for path in (certificate, key)}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls"}, "type": "kubernetes.io/tls"}
    return certificate.read_text(), {**secret, "data": data}


def test_a_refused_snippet_is_reported_and_harms_no_other(cluster: Cluster, web: str, host: str) -> None:
    cluster.apply(web, ingress(host, configuration_snippet='add_header X-Round "1";'))
    assert ask(cluster, f"http://{host}/health").headers["x-round"] == "1"
    cluster.apply(
        web, ingress(host, configuration_snippet="no_such_directive on;"), ingress(f"other.{host}", "other")
    )
    ask(cluster, f"http://other.{host}/health")
    assert cluster.fetch(f"http://{host}/health").headers["x-round"] == "1"

    def refusals() -> list[str]:
        events = cluster.core.list_namespaced_event(web, field_selector="involvedObject.name=web").items
        return [event.message for event in events if event.reason == "Refused"]

    assert any("no_such_directive" in message for message in eventually(refusals, 20))
    cluster.apply(web, ingress(host, configuration_snippet='add_header X-Round "2";'))
    eventually(lambda: cluster.fetch(f"http://{host}/health").headers.get("x-round") == "2")


def test_logs_and_configuration_are_where_ingress_nginx_has_them(
    cluster: Cluster, web: str, host: str
) -> None:
    cluster.apply(web, ingress(host, server_snippet=f"access_log /var/log/nginx/{host}.log;"))
    ask(cluster, f"http://{host}/health")

    def inside(*words: str) -> str:
        place = ["ingress-nginx-controller", "--namespace=ingress-nginx", "--container=controller"]
        return cluster.kubectl("exec", *place, "--", *words).stdout

    assert "GET /health" in inside("tail", "-n", "1", f"/var/log/nginx/{host}.log")
    configuration = inside("cat", "/etc/nginx/nginx.conf")
    served = configuration.partition(f"## start server {host}\n")[2].partition(f"## end server {host}\n")[0]
    assert f"server_name {host};" in served


def ingress_route(match: str, *middlewares: str, entry_point: str = "web", **rule: str) -> dict[str, Any]:
    route = {
        "kind": "Rule",
        "match": match,
        "services": [{"name": "web", "port": "http"}],
        "middlewares": [{"name": name} for name in middlewares],
        **rule,
    }
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": f"web-{entry_point}"},
        "spec": {"entryPoints": [entry_point], "routes": [route]},
    }


def test_traefik_routes(cluster: Cluster, web: str, host: str) -> None:
    redirect = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": {"name": "to-https"},
        "spec": {"redirectScheme": {"scheme": "https", "permanent": True}},
    }
    cluster.apply(
        web,
        redirect,
        ingress_route(f"Host(`{host}`)", "to-https"),
        ingress_route(f"Host(`{host}`)", entry_point="websecure"),
    )
    assert ask(cluster, f"http://{host}/health", status=301).headers["location"] == f"https://{host}/health"
    ask(cluster, f"https://{host}/health")


def test_traefik_wildcards_of_version_two_need_their_syntax_named(
    cluster: Cluster, web: str, host: str
) -> None:
    match = f"HostRegexp(`{{subdomain:[^.]+}}.{host}`)"
    cluster.apply(web, ingress_route(match, syntax="v2"))
    ask(cluster, f"http://a.{host}/health")
    cluster.apply(web, ingress_route(match))
    ask(cluster, f"http://a.{host}/health", status=404)


def test_a_second_service_is_another_app(cluster: Cluster, web: str, host: str, sample_image: str) -> None:
    other = deployment(sample_image, "other", env=[{"name": "GREETING", "value": "bonjour"}])
    cluster.apply(web, other, service("other"))
    cluster.kubectl("rollout", "status", "deployment/other", "--timeout=180s", f"--namespace={web}")
    routed = ingress(host)
    backend = {"service": {"name": "other", "port": {"number": 80}}}
    path = {"path": "/cgi-bin", "pathType": "Prefix", "backend": backend}
    routed["spec"]["rules"][0]["http"]["paths"].append(path)
    cluster.apply(web, routed)
    eventually(lambda: cluster.fetch(f"http://{host}/cgi-bin/index.cgi").text.startswith("bonjour"))
    assert ask(cluster, f"http://{host}/health").text == "ok\n"
