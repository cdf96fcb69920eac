"""certs:add, :update and :remove on the real cluster: what a browser is shown, and what restarts for it."""

import subprocess
from pathlib import Path

import pytest
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import app, domain, history, pods

pytestmark = pytest.mark.cluster


def make(directory: Path, name: str, subject: str) -> tuple[str, str]:
    """The paths of a new certificate and its key, where user dokku can read them."""
    crt, key = directory / f"{name}.crt", directory / f"{name}.key"
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "60"]
    names = ["-subj", f"/CN={subject}", "-addext", f"subjectAltName=DNS:{subject}"]
    argv = ["openssl", "req", "-x509", *words, *names, "-keyout", str(key), "-out", str(crt)]
    subprocess.run(argv, check=True, capture_output=True)
    key.chmod(0o644)
    return str(crt), str(key)


def secrets(cluster: Cluster) -> set[str]:
    return {item.metadata.name for item in cluster.core.list_namespaced_secret("default").items}


def test_https_begins_changes_and_ends_without_a_new_pod(
    host: Host, cluster: Cluster, sample_image: str, handed_over: Path
) -> None:
    name = "certs-life"
    first, second = make(handed_over, "first", domain(name)), make(handed_over, "second", domain(name))

    def shown() -> str:
        return (cluster.fetch(f"https://{domain(name)}/").certificate or "").strip()

    with app(host, name) as _:
        host.dokku("git:from-image", name, sample_image)
        before = {pod.metadata.uid for pod in pods(cluster, name, "web")}
        wrong = host.dokku("certs:add", name, first[0], second[1], check=False)
        assert wrong.returncode != 0
        assert (
            f"The certificate of {name} cannot be used: its key is not that of the certificate"
            in wrong.stderr
        )

        done = host.dokku("certs:add", name, *first)
        assert f"-----> Routing {name} with its certificate" in done.stdout
        eventually(lambda: shown() == Path(first[0]).read_text().strip())
        plain = cluster.fetch(f"http://{domain(name)}/")
        assert (plain.status, plain.headers["location"]) == (308, f"https://{domain(name)}/")
        assert {pod.metadata.uid for pod in pods(cluster, name, "web")} == before
        assert (host.lib / f"config/scheduler-k3s/{name}/tls-cert-imported").read_text() == "true"
        stored = cluster.core.read_namespaced_secret(f"tls-{name}", "default")
        assert stored.metadata.labels["dokku.com/cert-source"] == "imported"

        deploys = history(name)
        again = host.dokku("certs:update", name, *first)
        assert f"The cluster has this certificate of {name} already" in again.stdout
        assert (history(name), history(f"tls-{name}")) == (deploys, ["deployed"])
        host.dokku("certs:update", name, *second)
        eventually(lambda: shown() == Path(second[0]).read_text().strip())
        assert (history(name), len(history(f"tls-{name}"))) == (deploys, 2)

        host.dokku("ps:restart", name)
        assert len(history(f"tls-{name}")) == 2
        before = {pod.metadata.uid for pod in pods(cluster, name, "web")}
        host.dokku("certs:remove", name)
        eventually(lambda: cluster.fetch(f"http://{domain(name)}/").status == 200)
        # the API server takes it away behind helm's back, once nothing depends on it
        eventually(lambda: f"tls-{name}" not in secrets(cluster))
        assert {pod.metadata.uid for pod in pods(cluster, name, "web")} == before
        assert not (host.lib / f"config/scheduler-k3s/{name}/tls-cert-imported").exists()
