"""One-off processes through dokku's commands: at a real terminal, through pipes, detached, killed."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator

import pytest
from kubernetes import client
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import PART_OF, app
from .terminal import Terminal

pytestmark = pytest.mark.cluster
APP = "oneoffs"


@pytest.fixture(scope="module")
def deployed(host: Host) -> Iterator[str]:
    with app(host, APP, config={"COLOUR": "blue"}) as name:
        host.dokku("git:from-image", name, images.sample())
        yield name


def dokku(host: Host, *words: str, stdin: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    argv = [str(host.prefix / "bin/dokku"), *words]
    if stdin is None:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    return subprocess.run(argv, input=stdin, capture_output=True, timeout=120, check=False)


def jobs(cluster: Cluster) -> list[str]:
    found = client.BatchV1Api(cluster.api).list_namespaced_job("default", label_selector=f"{PART_OF}={APP}")
    return [job.metadata.name for job in found.items]


def test_output_and_errors_come_apart_and_the_exit_code_comes_out(
    host: Host, cluster: Cluster, deployed: str
) -> None:
    script = "sleep 8; echo $COLOUR $K; echo oops >&2; exit 42"
    done = dokku(host, "--quiet", "run", "-e", "K=a b\\n", deployed, "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (42, b"blue a b\\n\n", b"oops\n")
    eventually(lambda: not jobs(cluster))


@pytest.mark.parametrize("code", [0, 1, 137, 255])
def test_exit_codes(host: Host, deployed: str, code: int) -> None:
    done = dokku(host, "--quiet", "run", deployed, "sh", "-c", f"echo done; exit {code}")
    assert (done.returncode, done.stdout) == (code, b"done\n")


def test_input_is_piped_through_byte_for_byte(host: Host, deployed: str) -> None:
    data = os.urandom(3_000_000) + b"\r\n\x04\x03 no newline at the end"
    done = dokku(host, "--quiet", "run", deployed, "cat", stdin=data)
    assert done.returncode == 0
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_a_shell_at_a_terminal(host: Host, deployed: str) -> None:
    terminal = Terminal([str(host.prefix / "bin/dokku"), "--quiet", "run", deployed, "sh"], 91, 33)
    terminal.expect(b"# ")
    terminal.type(b"stty size; test -t 0 && echo termin$((0))l\n")
    terminal.expect(b"33 91")
    terminal.expect(b"termin0l")
    terminal.resize(120, 40)
    terminal.type(b"sleep 1; stty size\n")
    terminal.expect(b"40 120")
    terminal.type(b"echo asleep; sleep 1000\n")
    terminal.expect(b"asleep\r\n")
    terminal.type(b"\x03")
    terminal.expect(b"^C")
    terminal.type(b"printf '\\033[3%dmred' 1; exit 3\n")
    assert terminal.end() == 3
    assert b"\x1b[31mred" in terminal.output


def test_a_terminal_shows_each_line_once(host: Host, deployed: str) -> None:
    script = "printf open; sleep 1; echo; seq 1 200; sleep 1; seq 201 300; printf end"
    terminal = Terminal([str(host.prefix / "bin/dokku"), "--quiet", "run", deployed, "sh", "-c", script])
    assert terminal.end() == 0
    numbers = [str(number) for number in range(1, 301)]
    assert terminal.output.decode().split("\r\n") == ["open", *numbers, "end"]


def test_a_detached_run_says_its_pod_and_goes_by_names(host: Host, cluster: Cluster, deployed: str) -> None:
    done = dokku(host, "run:detached", deployed, "sh", "-c", "echo up; sleep 300")
    pod = done.stdout.decode().strip()
    assert cluster.core.read_namespaced_pod(pod, "default").metadata.labels[PART_OF] == APP
    suffix = pod.removeprefix(f"{APP}-run-").partition("-")[0]
    listed = json.loads(dokku(host, "run:list", deployed, "--format", "json").stdout)
    (entry,) = [item for item in listed if item["name"] == f"{APP}.run.{suffix}"]
    assert entry["command"] == "sh -c echo up; sleep 300"
    words = ("run:logs", deployed, "--container", entry["name"])
    eventually(lambda: dokku(host, *words).stdout == f"app[{pod}]: up\n".encode())
    assert dokku(host, "run:stop", "--container", entry["name"]).returncode == 0
    eventually(lambda: f"{APP}-run-{suffix}" not in jobs(cluster))


def test_a_pod_that_is_deleted_ends_the_run_with_its_reason(
    host: Host, cluster: Cluster, deployed: str
) -> None:
    running = host.start("run", deployed, "sh", "-c", "echo up; sleep 300")
    assert running.stdout is not None
    assert any("up" in line for line in running.stdout)
    found = cluster.core.list_namespaced_pod("default", label_selector=f"{PART_OF}={APP}").items
    alive = [item.metadata.name for item in found if item.metadata.deletion_timestamp is None]
    (pod,) = [name for name in alive if "-run-" in name]
    cluster.core.delete_namespaced_pod(pod, "default", grace_period_seconds=1)
    rest = running.stdout.read()
    assert running.wait(60) == 137
    assert "was deleted" in rest


def test_entering_a_running_pod(host: Host, deployed: str) -> None:
    done = dokku(host, "enter", deployed, "web", "sh", "-c", "cat; exit 7", stdin=b"in\r\nput")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"in\r\nput", b"")
    for process, message in (
        ("web.2", b"There is no web.2"),
        ("other", b"No pods found"),
        ("web.0", b"web.0"),
    ):
        refused = dokku(host, "enter", deployed, process, "true")
        assert refused.returncode == 1
        assert message in refused.stderr


def test_inspecting_hides_values(host: Host, deployed: str) -> None:
    shown = json.loads(dokku(host, "ps:inspect", deployed).stdout)
    (pod,) = [item for item in shown if item["metadata"]["labels"]["app.kubernetes.io/name"] == "web"]
    (port,) = pod["spec"]["containers"][0]["env"]
    assert port == {"name": "PORT", "value": "5000"}


def test_no_failed_deploy(host: Host, deployed: str) -> None:
    done = dokku(host, "logs:failed", deployed)
    assert done.returncode == 0
    assert b" !     No failed containers found" in done.stderr
