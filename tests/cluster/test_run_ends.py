"""How one-off processes end otherwise than by themselves, and what is left of them: nothing, but the reason."""

import signal
from collections.abc import Iterator

import pytest
from bench.hosts import environment, plugin
from kubernetes import client
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .oneoffs import deployed, ended, jobs, program, run, run_pods, start

pytestmark = pytest.mark.cluster
LISTENER = """#!/bin/sh
echo "$@" >>"${0%/*}/told"
"""
SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)


@pytest.fixture(scope="module")
def name(host: Host) -> Iterator[str]:
    with deployed(host, "ends", images.sample(), scale="web=0") as made:
        host.dokku("ps:set", made, "stop-timeout-seconds", "1")
        yield made


def test_every_signal_ends_the_run_and_its_job(host: Host, cluster: Cluster, name: str) -> None:
    script = "echo up; sleep 300"
    argv = [str(plugin(host) / "scheduler-run"), "k3s", name, "0", "--", "sh", "-c", script]
    running = {each: program(argv, environment(host)) for each in SIGNALS}
    for child in running.values():
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
    assert len(jobs(cluster, name)) == len(SIGNALS)
    for number, child in running.items():
        child.send_signal(number)
    for number, child in running.items():
        code, _, errors = ended(child)
        assert (number, code) == (number, 128 + number)
        assert errors.decode().endswith(f" !     The run of {name} has been cancelled\n")
    eventually(lambda: not jobs(cluster, name))


def test_what_ends_a_command_from_outside_is_said(host: Host, cluster: Cluster, name: str) -> None:
    """Too late, too much memory, drained from its node, and not to be started at all: each in its words."""
    host.dokku("resource:limit", "--process-type", "run", "--memory", "16m", name)
    hungry = start(host, "run", name, "tail", "/dev/zero")
    missing = start(host, "run", name, "no-such-program")
    late = start(host, "run", "--ttl-seconds", "4", name, "sh", "-c", "echo up; sleep 300")
    drained = start(host, "run", name, "sh", "-c", "echo drained; sleep 300")
    assert drained.stdout is not None
    assert drained.stdout.readline() == b"drained\n"
    (pod,) = (item for item in run_pods(cluster, name) if _log(cluster, item) == "drained\n")
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace="default"))
    cluster.core.create_namespaced_pod_eviction(pod, "default", eviction)
    for child, expected, reason in (
        (drained, 137, "was deleted (Eviction API: evicting)"),
        (hungry, 137, "it was killed for using more memory than its limit"),
        (missing, 127, "the command cannot be started: "),
        (late, 137, "DeadlineExceeded"),
    ):
        code, _, errors = ended(child)
        assert (code, reason in errors.decode()) == (expected, True), errors.decode()
    host.dokku("resource:limit-clear", "--process-type", "run", name)
    eventually(lambda: not jobs(cluster, name))


def _log(cluster: Cluster, pod: str) -> str:
    try:
        return str(cluster.core.read_namespaced_pod_log(pod, "default"))
    except client.ApiException:
        return ""


def test_plugins_are_told_of_a_run_and_its_code(host: Host, name: str) -> None:
    plugin = host.lib / "plugins/enabled/listener"
    plugin.mkdir()
    (plugin / "plugin.toml").write_text('[plugin]\ndescription = "listens"\nversion = "1"\n[plugin.config]\n')
    listener = plugin / "scheduler-post-run"
    listener.write_text(LISTENER)
    for path in (plugin, listener):
        path.chmod(0o777)
    try:
        assert run(host, "run", name, "sh", "-c", "exit 6")[0] == 6
        (told,) = (plugin / "told").read_text().splitlines()
        scheduler, app, pod, code = told.split()
        assert (scheduler, app, code) == ("k3s", name, "6")
        assert pod.startswith(f"{name}-run-")
    finally:
        for path in plugin.iterdir():
            path.unlink()
        plugin.rmdir()
