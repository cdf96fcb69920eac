"""The node itself: what every other cluster test takes for granted."""

import json
import os
import pty
import select
import subprocess
import time
from typing import Any

import pytest
from kubernetes import client
from rig import images, target
from rig.cluster import Cluster, eventually
from rig.node import lifecycle, versions
from rig.sample_objects import deployment

pytestmark = pytest.mark.cluster

HOST = "sample.example.com"


def test_the_api_is_the_promised_version(cluster: Cluster) -> None:
    assert client.VersionApi(cluster.api).get_code().git_version == f"v{versions.KUBERNETES}"
    (node,) = cluster.core.list_node().items
    assert {condition.type: condition.status for condition in node.status.conditions}["Ready"] == "True"


def test_a_service_leads_to_the_pods(cluster: Cluster, web: str) -> None:
    address = cluster.core.read_namespaced_service("web", web).spec.cluster_ip
    pod = cluster.core.list_namespaced_pod(web).items[0]
    answer = eventually(lambda: cluster.fetch(f"http://{HOST}/", address=address))
    assert answer.text == f"hello from {pod.metadata.name}\n"
    inside = ["wget", "-q", "-O-", f"http://{address}/"]
    asked = cluster.kubectl("exec", "deployment/web", f"--namespace={web}", "--", *inside)
    assert asked.stdout == answer.text


def test_logs_and_exec(cluster: Cluster, web: str) -> None:
    assert "web: listening on 5000" in cluster.kubectl("logs", "deployment/web", f"--namespace={web}").stdout
    failed = cluster.kubectl(
        "exec", "deployment/web", f"--namespace={web}", "--", "sh", "-c", "exit 7", check=False
    )
    assert failed.returncode == 7


def test_run_with_a_terminal(cluster: Cluster, namespace: str, sample_image: str) -> None:
    options = ["--stdin", "--tty", "--rm", "--quiet", "--restart=Never", f"--image={sample_image}"]
    script = "read answer; echo got=$answer; tty"
    words = ["run", "shell", *options, f"--namespace={namespace}", "--", "sh", "-c", script]
    screen = talk([versions.program("kubectl"), f"--kubeconfig={cluster.kubeconfig}", *words], b"me\n")
    assert "got=me" in screen
    assert "/dev/pts/" in screen


def talk(argv: list[str], line: bytes) -> str:
    """Runs a program on a terminal, types a line each second until it says something, and returns the screen."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(argv, stdin=follower, stdout=follower, stderr=follower, start_new_session=True)
    os.close(follower)
    screen = b""
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([leader], [], [], 1)[0]:
                screen += os.read(leader, 4096)
            elif b"got=" not in screen:
                os.write(leader, line)
    except OSError:  # the last holder of the other end is gone
        pass
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    return screen.decode(errors="replace")


def test_an_image_that_is_not_there_cannot_be_pulled(cluster: Cluster, namespace: str) -> None:
    cluster.apply(namespace, deployment(f"{target.REGISTRY}/rig/absent:latest"))

    def reason() -> bool:
        pods = cluster.core.list_namespaced_pod(namespace).items
        states = [status.state.waiting for pod in pods for status in pod.status.container_statuses or []]
        return any(state and state.reason in ("ErrImagePull", "ImagePullBackOff") for state in states)

    eventually(reason)


def test_an_image_keeps_what_it_was_made_with(cluster: Cluster) -> None:
    labels = {"com.example.note": 'a "quoted" $word'}
    env = {"TEXT": "two\nlines = $HOME"}
    reference = images.build(
        "rig/labels:1", cmd=["sh", "-c", "true"], env=env, labels=labels, expose=["53/udp", 80]
    )
    (found,) = json.loads(images.docker("image", "inspect", reference))
    assert found["Config"]["Labels"] == labels
    assert f"TEXT={env['TEXT']}" in found["Config"]["Env"]
    assert found["Config"]["ExposedPorts"] == {"53/udp": {}, "80/tcp": {}}
    assert found["Config"]["Cmd"] == ["sh", "-c", "true"]
    assert images.docker("run", "--rm", reference, "sh", "-c", 'echo "$TEXT"') == env["TEXT"] + "\n"


def test_a_claim_gets_a_volume(cluster: Cluster, namespace: str, sample_image: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Mi"}}},
    }
    shown = deployment(sample_image, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    shown["spec"]["template"]["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    ]
    cluster.apply(namespace, claim, shown)
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=180s", f"--namespace={namespace}")
    bound = cluster.core.read_namespaced_persistent_volume_claim("data", namespace)
    assert bound.status.phase == "Bound"


def test_start_uses_what_runs(cluster: Cluster) -> None:
    before = lifecycle.status()
    assert all(healthy for _, healthy, _ in before)
    lifecycle.start()
    assert lifecycle.status() == before


@pytest.mark.parametrize(
    ("definition", "item", "complaint"),
    [
        (
            "middlewares.traefik.io",
            {
                "apiVersion": "traefik.io/v1alpha1",
                "kind": "Middleware",
                "spec": {"redirectScheme": {"permanent": "yes"}},
            },
            "spec.redirectScheme.permanent",
        ),
        (
            "scaledobjects.keda.sh",
            {
                "apiVersion": "keda.sh/v1alpha1",
                "kind": "ScaledObject",
                "spec": {"scaleTargetRef": {"name": "web"}},
            },
            "spec.triggers",
        ),
        (
            "httpscaledobjects.http.keda.sh",
            {
                "apiVersion": "http.keda.sh/v1alpha1",
                "kind": "HTTPScaledObject",
                "spec": {"hosts": ["a.example.com"]},
            },
            "spec.scaleTargetRef",
        ),
        (
            "certificates.cert-manager.io",
            {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "spec": {"secretName": "tls"}},
            "spec.issuerRef",
        ),
    ],
)
def test_definitions_check_what_is_sent(
    cluster: Cluster, namespace: str, definition: str, item: dict[str, Any], complaint: str
) -> None:
    cluster.kubectl("get", "customresourcedefinition", definition)
    document = json.dumps({**item, "metadata": {"name": "wrong"}})
    refused = cluster.kubectl(
        "create", f"--namespace={namespace}", "--filename=-", stdin=document, check=False
    )
    assert refused.returncode == 1
    assert complaint in refused.stderr
