"""`scheduler-logs` against real pods: many, awkward, late, restarting, and behind a connection that breaks."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from rig import images
from rig.cluster import Cluster, eventually

pytestmark = pytest.mark.cluster

TRIGGER = Path(__file__).parents[2] / "triggers" / "scheduler-logs"
PODS = 100
LINES = 50


class Stage:
    """A namespace for pods of app `demo`, and the plugin's settings that lead there."""

    def __init__(self, cluster: Cluster, namespace: str, image: str, lib: Path) -> None:
        self.cluster, self.namespace, self.image, self.lib = cluster, namespace, image, lib
        self.set("namespace", namespace)
        self.set("kubeconfig-path", str(cluster.kubeconfig))

    def set(self, name: str, value: str) -> None:
        path = self.lib / "config/scheduler-k3s/--global" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)

    def run(self, name: str, script: str, kind: str = "web", restart: str = "Never", image: str = "") -> None:
        """Start a pod. A second container beside the app's says nothing of interest."""
        program = {"name": f"demo-{kind}", "image": image or self.image, "command": ["sh", "-c", script]}
        sidecar = {"name": "sidecar", "image": self.image, "command": ["sh", "-c", "echo sidecar"]}
        metadata = {
            "name": name,
            "labels": {"app.kubernetes.io/part-of": "demo", "app.kubernetes.io/name": kind},
            "annotations": {"kubectl.kubernetes.io/default-container": f"demo-{kind}"},
        }
        containers = [sidecar, program] if kind == "pair" else [program]
        spec = {"restartPolicy": restart, "terminationGracePeriodSeconds": 0, "containers": containers}
        self.cluster.core.create_namespaced_pod(self.namespace, {"metadata": metadata, "spec": spec})

    def phases(self) -> list[str]:
        return [pod.status.phase for pod in self.cluster.core.list_namespaced_pod(self.namespace).items]

    def wait(self, phase: str = "Succeeded", seconds: float = 180) -> None:
        eventually(lambda: set(self.phases()) == {phase}, seconds)

    def logs(
        self, process: str = "", tail: bool = False, quiet: bool = True, count: int = 0
    ) -> "subprocess.Popen[bytes]":
        words = ["k3s", "demo", process, str(tail).lower(), str(quiet).lower(), str(count)]
        return subprocess.Popen(
            [str(TRIGGER), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "DOKKU_LIB_ROOT": str(self.lib)},
        )


@pytest.fixture
def stage(cluster: Cluster, namespace: str, tmp_path: Path) -> Stage:
    image = images.build("rig/logs", cmd=["sh"])
    return Stage(cluster, namespace, image, tmp_path)


def end(running: "subprocess.Popen[bytes]") -> tuple[int, bytes, str]:
    output, errors = running.communicate(timeout=240)
    return running.returncode, output, errors.decode()


def counted(name: str) -> list[bytes]:
    return [b"app[%s]: %s line %d" % (name.encode(), name.encode(), number) for number in range(LINES)]


def test_a_hundred_pods_followed_from_their_start_and_read_at_their_end(stage: Stage) -> None:
    """Following begins with one pod; the others come later, and it ends by itself with the last of them."""
    names = [f"demo-web-{number:03}" for number in range(PODS)]
    script = f"i=0; while [ $i -lt {LINES} ]; do echo $HOSTNAME line $i; i=$((i+1)); done; sleep 1"
    stage.run(names[0], f"until [ -e /tmp/go ]; do sleep 0.2; done; {script}")
    eventually(lambda: stage.phases() == ["Running"])
    following = stage.logs("web", tail=True, quiet=False)
    reading: list[bytes] = []
    reader = threading.Thread(target=lambda: reading.extend(following.communicate()[:1]))
    reader.start()
    for name in names[1:]:
        stage.run(name, script)
    eventually(lambda: stage.phases().count("Succeeded") == PODS - 1, 240)
    stage.cluster.kubectl("exec", names[0], f"--namespace={stage.namespace}", "--", "touch", "/tmp/go")
    reader.join(120)
    assert following.returncode == 0
    followed = reading[0].splitlines()
    assert sorted(followed) == sorted(line for name in names for line in counted(name))
    for name in names:
        assert [line for line in followed if name.encode() in line] == counted(name)
    stage.wait()
    code, output, errors = end(stage.logs("web", quiet=False))
    assert (code, errors) == (0, "")
    assert output.splitlines() == [line for name in names for line in counted(name)]


AWKWARD = b"\xff\xfe\x00 \r binary\n\n%s {{ }}\n" + b"x" * 1_000_000 + b"\nlast"


@pytest.mark.parametrize("tail", [False, True])
def test_bytes_pass_as_they_are(stage: Stage, tail: bool) -> None:
    octal = r"printf '\377\376\000 \r binary\n\n%%s {{ }}\n'"
    stage.run("demo-web-a", rf"{octal}; head -c 1000000 /dev/zero | tr '\000' x; printf '\nlast'")
    stage.wait()
    assert end(stage.logs(tail=tail)) == (0, AWKWARD + b"\n", "")


def test_the_apps_container_talks_and_not_its_sidecar(stage: Stage) -> None:
    stage.run("demo-pair-a", "echo app", kind="pair")
    stage.wait()
    assert end(stage.logs()) == (0, b"app\n", "")


def test_a_pod_whose_image_is_missing_is_passed_over_with_the_reason(stage: Stage) -> None:
    stage.run("demo-web-a", "echo here")
    stage.run("demo-web-b", "echo never", image="127.0.0.1:5000/rig/nothing:here")
    eventually(lambda: sorted(stage.phases()) == ["Pending", "Succeeded"])
    eventually(
        lambda: (
            b"Pull" in stage.cluster.kubectl("get", "pods", f"--namespace={stage.namespace}").stdout.encode()
        )
    )
    code, output, errors = end(stage.logs())
    assert (code, output) == (0, b"here\n")
    assert errors.startswith(" !     Skipping pod demo-web-b, which has no log yet: ")
    assert "Pull" in errors


def test_a_container_that_restarts_is_followed_on(stage: Stage) -> None:
    stage.run("demo-web-a", "echo begin; sleep 1; echo end; exit 1", restart="OnFailure")
    eventually(lambda: stage.phases() == ["Running"])
    following = stage.logs(tail=True)
    assert following.stdout is not None
    seen = [following.stdout.readline() for _ in range(4)]
    following.terminate()
    assert end(following)[0] == 143
    assert seen == [b"begin\n", b"end\n"] * 2


def test_a_silent_pod_is_waited_for(stage: Stage) -> None:
    """The server sends not even the head of its answer before the first line."""
    stage.run("demo-web-a", "sleep 20; echo late; sleep 100")
    eventually(lambda: stage.phases() == ["Running"])
    following = stage.logs(tail=True)
    assert following.stdout is not None
    assert following.stdout.readline() == b"late\n"
    following.terminate()
    assert end(following)[0] == 143


def test_connections_that_break_repeat_and_lose_nothing(stage: Stage, tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); [ $((i%100)) = 0 ] && sleep 0.2; done"
    with cutting_proxy(stage.cluster) as (port, cut):
        write_kubeconfig(stage.cluster, tmp_path / "kubeconfig", port)
        stage.set("kubeconfig-path", str(tmp_path / "kubeconfig"))
        stage.run("demo-web-a", f"sleep 2; {script}")
        eventually(lambda: stage.phases() == ["Running"])
        following = stage.logs(tail=True)
        reading: list[bytes] = []
        reader = threading.Thread(target=lambda: reading.extend(following.communicate()))
        reader.start()
        cuts = 0
        while reader.is_alive() and cuts < 100:
            cuts += cut() > 0
            time.sleep(0.7)
        reader.join(120)
    assert (following.returncode, reading[1]) == (0, b"")
    assert cuts > 3
    assert reading[0].decode().splitlines() == [f"line {number}" for number in range(3000)]


@contextmanager
def cutting_proxy(cluster: Cluster) -> Iterator[tuple[int, Callable[[], int]]]:
    """A way to the API server, and a function that cuts all connections that go that way; it tells how many."""
    server = urlsplit(cluster.api.configuration.host)
    listener = socket.create_server(("127.0.0.1", 0))
    pairs: list[tuple[socket.socket, socket.socket]] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        hang_up([(source, sink)])

    def accept() -> None:
        while True:
            try:
                ours = listener.accept()[0]
                theirs = socket.create_connection((server.hostname, server.port or 443))
            except OSError:
                return
            pairs.append((ours, theirs))
            for ends in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    def cut() -> int:
        doomed = pairs[:]
        pairs.clear()
        hang_up(doomed)
        return len(doomed)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], cut
    finally:
        listener.close()
        cut()


def hang_up(pairs: Sequence[tuple[socket.socket, socket.socket]]) -> None:
    for stream in (stream for pair in pairs for stream in pair):
        try:
            stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


def write_kubeconfig(cluster: Cluster, path: Path, port: int) -> None:
    """The cluster's kubeconfig with the way through the proxy; the certificate stays that of the real server."""
    known = yaml.safe_load(cluster.kubeconfig.read_text())
    for entry in known["clusters"]:
        host = urlsplit(entry["cluster"]["server"]).hostname
        entry["cluster"] |= {"server": f"https://127.0.0.1:{port}", "tls-server-name": host}
    path.write_text(json.dumps(known))
