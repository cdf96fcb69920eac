"""Deploys that a signal ends, at each of their stages: what is said and left, and that the next one goes through."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rig import target
from rig.admission import Gate, gate
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import app, history, pushed

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(target.IS_EXISTING, reason="the API server has to reach this machine's loopback"),
]

Reached = Callable[[], bool]


@contextmanager
def listening(host: Host, trigger: str, name: str) -> Iterator[Reached]:
    """A plugin of the host that takes its time to answer for one app."""
    path = host.lib / f"plugins/enabled/slow-{name}/{trigger}"
    path.parent.mkdir(parents=True)
    mark = host.lib / f"slow-{name}"
    mark.touch(mode=0o666)
    mark.chmod(0o666)
    path.write_text(f'#!/bin/sh\n[ "$1" = {name} ] || exit 0\necho $$ >{mark}\nsleep 120\n')
    path.chmod(0o755)
    try:
        yield lambda: bool(mark.read_text())
    finally:
        path.unlink()
        path.parent.rmdir()


@contextmanager
def holding(cluster: Cluster, name: str, resource: str, dry: bool) -> Iterator[Reached]:
    with gate(cluster, name, resource, dry=dry) as held:
        yield lambda: _is_reached(held)


def _is_reached(held: Gate) -> bool:
    return held.reached.is_set()


@contextmanager
def stage(host: Host, cluster: Cluster, name: str, at: str) -> Iterator[Reached]:
    """Let the deploy of the app stop where it is at that stage."""
    if at == "gathering":
        with listening(host, "storage-app-mounts", name) as reached:
            yield reached
    elif at == "closing":
        with listening(host, "post-deploy", name) as reached:
            yield reached
    else:
        resource = "core/secrets" if at == "config" else "apps/deployments"
        with holding(cluster, name, resource, at == "dry run") as reached:
            yield reached


def processes(name: str) -> list[str]:
    """The command lines in which the app is a word, or part of a path."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
        except OSError:
            continue
        if any(word == name or f"/{name}/" in word or f"slow-{name}" in word for word in line.split("\0")):
            found.append(f"{entry.name} {line}")
    return found


def plugin(name: str) -> int:
    """The process of the plugin's deploy."""
    (found,) = [
        line
        for line in processes(name)
        if "/scheduler-deploy\0" in line and "python" in line.partition("\0")[0]
    ]
    return int(found.split()[0])


@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("gathering", signal.SIGINT),
        ("dry run", signal.SIGTERM),
        ("config", signal.SIGHUP),
        ("apply", signal.SIGQUIT),
        ("apply", signal.SIGKILL),
        ("closing", signal.SIGTERM),
    ],
)
def test_a_signal_ends_a_deploy_in_order(
    host: Host, cluster: Cluster, sample_image: str, at: str, number: signal.Signals
) -> None:
    name = f"sig-{at.replace(' ', '')}-{number.name.lower()}"
    with app(host, name):
        pushed(host, name, sample_image)
        with stage(host, cluster, name, at) as reached:
            running = host.start("ps:restart", name)
            eventually(reached)
            os.kill(plugin(name), number)
            started = time.monotonic()
            output = running.communicate(timeout=120)[0]
            print(at, number.name, f"{time.monotonic() - started:.1f} s", output, sep="\n")
            assert running.returncode != 0
            if number != signal.SIGKILL:
                assert f" !     Deployment of {name} has been cancelled" in output
                assert not processes(name)
                assert not _temporary(host, name)
            assert ("Its new version serves" in output) is (at == "closing")
        host.dokku("ps:restart", name)
        assert not _temporary(host, name)
        assert history(name)[-1] == "deployed"
        assert not processes(name)


def _temporary(host: Host, name: str) -> list[str]:
    found = os.listdir(host.lib / f"data/scheduler-k3s/{name}")
    return [entry for entry in found if entry.startswith(("helm-", "kustomize-"))]
