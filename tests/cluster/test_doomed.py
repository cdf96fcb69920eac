"""Pods in every state from which a deploy ends before its timeout, all of them at once; and what is said afterwards.

The images are in the registry already, so that a deploy is nothing but the plugin's part of it.
"""

import contextlib
import http.server
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from kubernetes import client
from rig import images
from rig.cluster import Cluster
from rig.host import Host

from .apps import app, history, place, pushed

pytestmark = pytest.mark.cluster

ENV_OF_A_SECRET = """resources: [rendered.yaml]
patches:
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/template/spec/containers/0/env/-
      value: {name: X, valueFrom: {secretKeyRef: {name: doom-missing, key: x}}}
"""
VOLUME_OF_A_SECRET = """resources: [rendered.yaml]
patches:
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/template/spec/volumes
      value: [{name: x, secret: {secretName: doom-missing}}]
    - op: add
      path: /spec/template/spec/containers/0/volumeMounts
      value: [{name: x, mountPath: /x}]
"""


class Refusing(http.server.BaseHTTPRequestHandler):
    """A registry that wants credentials nobody has."""

    def do_HEAD(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="doom"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def locked() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def full(cluster: Cluster) -> Iterator[str]:
    """A namespace in which no pod may be made."""
    with cluster.namespace("doom") as name:
        metadata = client.V1ObjectMeta(name="nothing")
        quota = client.V1ResourceQuota(metadata=metadata, spec=client.V1ResourceQuotaSpec(hard={"pods": "0"}))
        cluster.core.create_namespaced_resource_quota(name, quota)
        yield name


class Case(NamedTuple):
    """What an app is built of, what spoils it (words of a dokku command, or a kustomization), and what is said."""

    image: str
    spoil: str
    said: Sequence[str]


LATE = "doom-volume"
CASES = {
    # these last longest
    "doom-away": Case(
        "well",
        "registry:set doom-away server 127.0.0.1:1",
        ["connection refused", "The nodes cannot reach the registry"],
    ),
    "doom-room": Case(
        "well",
        "resource:reserve doom-room --cpu 900",
        ["Unschedulable", "Insufficient cpu", "resource:reserve"],
    ),
    LATE: Case("well", VOLUME_OF_A_SECRET, ['secret "doom-missing" not found']),
    "doom-login": Case(
        "well", "registry:set doom-login server {locked}", ["401 Unauthorized", "registry:login doom-login"]
    ),
    "doom-name": Case(
        "well",
        "registry:set doom-name image-repo rig/Sample",
        ["InvalidImageName", "dokku registry:report doom-name"],
    ),
    "doom-secret": Case(
        "well", ENV_OF_A_SECRET, ["CreateContainerConfigError", 'secret "doom-missing" not found']
    ),
    "doom-empty": Case("empty", "", ["no command specified"]),
    "doom-start": Case(
        "well",
        "ps:set doom-start dockerfile-start-cmd /nowhere",
        ["/nowhere", "The command cannot be started: is it in the image?"],
    ),
    "doom-memory": Case(
        "hungry",
        "resource:limit doom-memory --memory 16m",
        ["OOMKilled", "resource:limit --memory SIZE --process-type web doom-memory"],
    ),
    "doom-quota": Case("well", "scheduler-k3s:set doom-quota namespace {full}", ["exceeded quota: nothing"]),
    "doom-sysctl": Case(
        "well",
        "docker-options:add doom-sysctl deploy --sysctl=net.core.somaxconn=64",
        ["SysctlForbidden", "net.core.somaxconn", "docker-options:remove doom-sysctl"],
    ),
}


@pytest.fixture
def built() -> dict[str, str]:
    """Images by what they do."""
    hungry = "#!/bin/sh\necho hungry\nexec tail /dev/zero\n"
    return {
        "well": images.sample(),
        "empty": images.build("rig/doom-empty:v1"),
        "hungry": images.build("rig/doom-hungry:v1", files={"app/bin/web": hungry}, cmd=["/app/bin/web"]),
    }


def spoil(host: Host, name: str, how: str, **places: str) -> None:
    if how.startswith("resources:"):
        place(host, f"data/scheduler-k3s/{name}/kustomization/kustomization.yaml", how)
    elif how:
        host.dokku(*how.format(**places).split())


def test_each_says_why_and_says_it_again(
    host: Host, cluster: Cluster, built: dict[str, str], locked: str, full: str
) -> None:
    del cluster
    with contextlib.ExitStack() as stack:
        running = {}
        for name, case in CASES.items():
            stack.enter_context(app(host, name))
            pushed(host, name, built[case.image])
            spoil(host, name, case.spoil, locked=locked, full=full)
            if name == LATE:
                host.dokku("scheduler-k3s:set", name, "deploy-timeout", "25s")
            running[name] = host.start("ps:restart", name)
        outputs = {name: deploy.communicate(timeout=300)[0] for name, deploy in running.items()}
        for name, case in CASES.items():
            output = outputs[name]
            assert running[name].returncode != 0, output
            assert f"Deploy of {name} failed" in output
            assert not [text for text in case.said if text not in output], output
            assert "Running post-deploy" not in output
            again = host.dokku("logs:failed", name).stdout
            assert not [text for text in case.said if text not in again], again
            assert history(name, full if name == "doom-quota" else "default")[-1] == "failed"
        assert [name for name, output in outputs.items() if "within 25s (deploy-timeout)" in output] == [LATE]
