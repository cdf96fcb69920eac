"""Entering running pods: which one, with what streams, and what is said of those that cannot be entered."""

from collections.abc import Iterator

import pytest
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import pods
from .oneoffs import deployed, run
from .terminal import Terminal

pytestmark = pytest.mark.cluster
EXEC = '#!/bin/sh\nexport PREPARED=yes\nexec "$@"\n'


@pytest.fixture(scope="module")
def name(host: Host) -> Iterator[str]:
    with deployed(host, "entered", images.sample(), scale="web=2 worker=1") as made:
        yield made


def test_pods_are_chosen_by_process_index_and_name(host: Host, cluster: Cluster, name: str) -> None:
    web = sorted(pod.metadata.name for pod in pods(cluster, name, "web"))
    (worker,) = (pod.metadata.name for pod in pods(cluster, name, "worker"))

    def enter(*words: str) -> tuple[int, bytes, bytes]:
        """dokku's own command drops a name; its trigger takes one."""
        command = ["plugin:trigger", "scheduler-enter", "k3s"] if "--container-id" in words else ["enter"]
        return run(host, *command, name, *words, "hostname")

    def entered(*words: str) -> str:
        code, output, errors = enter(*words)
        assert (code, errors) == (0, b"")
        return output.decode().strip()

    assert [entered(*words) for words in (["web"], ["web.1"], ["web.2"], ["worker"])] == [
        web[0],
        *web,
        worker,
    ]
    assert entered("--") in (*web, worker)
    assert entered("--container-id", web[1], "--") == web[1]
    detached = run(host, "run:detached", name, "sleep", "300")[1].decode().strip()
    eventually(lambda: cluster.core.read_namespaced_pod(detached, "default").status.phase == "Running")
    shown = f"{name}.run.{detached.split('-')[2]}"
    assert entered("--container-id", shown, "--") == detached
    assert entered("--container-id", detached, "--") == detached
    host.dokku("run:stop", name)
    for words, message in (
        (["web.3"], f" !     There is no web.3 of app {name}, only web.1 to web.2\n"),
        (["web.0"], " !     Invalid process: 'web.0', it must be"),
        (["web.x"], " !     Invalid process: 'web.x', it must be"),
        (["nothing"], f" !     No pods found for app {name}, process nothing. Running pods: "),
        (
            ["--container-id", f"{name}-web-gone", "--"],
            f" !     No pod {name}-web-gone found for app {name}.",
        ),
        (["--container-id", "../../x", "--"], " !     No pod ../../x found"),
    ):
        code, output, errors = enter(*words)
        assert (code, output) == (1, b"")
        assert errors.decode().startswith(message), errors


def test_a_terminal_in_a_pod(host: Host, name: str) -> None:
    terminal = Terminal([str(host.prefix / "bin/dokku"), "enter", name, "web", "sh"], 101, 31)
    terminal.expect(b"# ")
    terminal.type(b"stty size\n")
    terminal.expect(b"31 101")
    terminal.resize(77, 22)
    terminal.type(b"sleep 1; stty size; sleep 1000\n")
    terminal.expect(b"22 77")
    terminal.type(b"\x03")
    terminal.expect(b"^C")
    terminal.type(b"printf '\\033[3%dmred' 1; exit 12\n")
    assert terminal.end() == 12
    assert b"\x1b[31mred" in terminal.output


def test_the_environment_of_a_buildpack_is_prepared(host: Host, cluster: Cluster, name: str) -> None:
    """What herokuish built is entered through its own program."""
    image = images.build("rig/prepared", files={"exec": EXEC}, cmd=["sleep", "3600"])
    made = f"{name}-prepared"
    metadata = {
        "name": made,
        "labels": {"app.kubernetes.io/part-of": name, "app.kubernetes.io/name": "built"},
        "annotations": {"dokku.com/builder-type": "herokuish"},
    }
    container = {"name": "built", "image": image, "command": ["sh", "-c", "chmod +x /exec; sleep 3600"]}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    cluster.apply("default", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    try:
        cluster.kubectl("wait", "--for=condition=Ready", f"pod/{made}", "--timeout=180s")

        def is_prepared() -> bool:
            shown = run(host, "enter", name, "built", "sh", "-c", "echo $PREPARED $0", "x y")
            return shown == (0, b"yes x y\n", b"")

        eventually(is_prepared)
    finally:
        cluster.kubectl("delete", "pod", made, "--wait=false")
