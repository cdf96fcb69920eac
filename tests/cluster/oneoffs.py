"""What the tests of one-off processes share: an app of their own, and dokku's commands with bytes in and out."""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from kubernetes import client
from rig import images
from rig.cluster import Cluster
from rig.host import Host

from .apps import PART_OF, app


@contextmanager
def deployed(host: Host, prefix: str, image: str = "", **options: str) -> Iterator[str]:
    """An app of a name that no other test has, and that is deployed."""
    name = f"{prefix}{secrets.token_hex(3)}"
    with app(host, name, config={"COLOUR": "blue"}, **options):
        host.dokku("git:from-image", name, image or images.sample())
        yield name


def start(host: Host, *words: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    return program([str(host.prefix / "bin/dokku"), *words], stdin=stdin)


def program(
    argv: Sequence[str], env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env=env, stdin=stdin, stdout=pipe, stderr=pipe, start_new_session=True)


def interrupt(running: "subprocess.Popen[bytes]") -> None:
    """End dokku and all that it has started, as a terminal that is closed does."""
    os.killpg(running.pid, signal.SIGTERM)


def ended(running: "subprocess.Popen[bytes]", stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr."""
    output, errors = running.communicate(stdin, timeout=120)
    return running.returncode, output, errors


def run(host: Host, *words: str, stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr of a command that does not tell of itself."""
    wanted = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    return ended(start(host, "--quiet", *words, stdin=wanted), stdin)


def assert_same(found: bytes, expected: bytes) -> None:
    """Says where they part: pytest would print megabytes."""
    if found == expected:
        return
    pairs = enumerate(zip(found, expected))  # noqa: B905 - one may be shorter
    place = next((at for at, (one, other) in pairs if one != other), min(len(found), len(expected)))
    near = slice(max(place - 20, 0), place + 40)
    raise AssertionError(
        f"{len(found)} bytes instead of {len(expected)}, at {place}: {found[near]!r} instead of {expected[near]!r}"
    )


def jobs(cluster: Cluster, name: str) -> list[str]:
    found = client.BatchV1Api(cluster.api).list_namespaced_job("default", label_selector=f"{PART_OF}={name}")
    return [job.metadata.name for job in found.items]


def run_pods(cluster: Cluster, name: str) -> list[str]:
    """The pods of runs that have not ended and are not on their way out, oldest first."""
    labels = f"{PART_OF}={name},app.kubernetes.io/name in (run,cron)"
    found = cluster.core.list_namespaced_pod("default", label_selector=labels).items
    over = ("Succeeded", "Failed")
    alive = [
        pod.metadata
        for pod in found
        if pod.metadata.deletion_timestamp is None and pod.status.phase not in over
    ]
    return [item.name for item in sorted(alive, key=lambda item: item.creation_timestamp)]
