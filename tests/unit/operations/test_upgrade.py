"""The end of an upgrade: when helm is waited for, ended, believed and corrected. A script plays helm."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scheduler_k3s import rollout
from scheduler_k3s.autoscaling import Autoscaling, Trigger
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import objects
from scheduler_k3s.operations import rolled_back, watch
from scheduler_k3s.operations import upgrade as operation
from scheduler_k3s.operations.watch import RolloutFailed
from scheduler_k3s.tools import helm
from unit.helm_records import content, record
from unit.kube_objects import Object, deployment, event, exited, pod, replica_set, running, waiting
from unit.models import shop, worker
from unit.object_api import ObjectApi, serve

APPS, CORE = "/apis/apps/v1/namespaces/default", "/api/v1/namespaces/default"
DONE = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
WAITS = """trap 'echo "$1 ended" >>"$ASKED"; exit 1' TERM
echo ready >"$READY"
while :; do sleep 0.02; done
"""


class Time:
    """Sleeping takes no time and lets the clock, and the cluster, go on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps: list[Any] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.steps:
            self.steps.pop(0)()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    module = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep)
    monkeypatch.setattr(operation, "time", module)
    monkeypatch.setattr(watch, "time", module)
    return clock


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    monkeypatch.delenv("HELM_DRIVER", raising=False)
    with serve() as served:
        yield served


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tools/bin/helm"
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path / "lib"))
    return path


def play(tool: Path, script: str) -> None:
    """`script` is what helm upgrade does; a rollback always works."""
    rollback = '[ "$1" = rollback ] && exit 0\n'
    tool.write_text(f'#!/bin/sh\necho "$1" >>"$ASKED"\n{rollback}{script}')
    tool.chmod(0o755)


def asked(tool: Path) -> list[str]:
    return (tool.parents[2] / "asked").read_text().splitlines()


def place(api: ObjectApi, base: str, kind: str, item: Object) -> None:
    labels = {"app.kubernetes.io/part-of": "shop"}
    metadata = {**item["metadata"], "labels": labels}
    api.put(f"{base}/{kind}/{item['metadata']['name']}", **{**item, "metadata": metadata})


def cluster_has(api: ObjectApi, *pods: Object, **status: Any) -> None:
    version = "1700000000"
    place(api, APPS, "deployments", deployment("worker", scale=1, version=version, **status))
    place(api, APPS, "replicasets", replica_set("worker", version=version))
    for item in pods:
        place(api, CORE, "pods", item)


def a_pod(*containers: Object, ready: bool = False) -> Object:
    return pod("shop-worker-r2-a", containers, type_="worker", ready=ready)


def revise(api: ObjectApi, *statuses: str) -> None:
    for number, status in enumerate(statuses, 1):
        item = record(content(number, status), revision=number, status=status)
        api.put(f"{CORE}/secrets/sh.helm.release.v1.shop.v{number}", **item)


def statuses(api: ObjectApi) -> list[str]:
    paths = sorted(path for path in api.objects if path.startswith(f"{CORE}/secrets/"))
    return [api.objects[path]["metadata"]["labels"]["status"] for path in paths]


def upgrade(
    api: ObjectApi, tmp_path: Path, *, rollback: bool = False, first: bool = False, **fields: Any
) -> None:
    model = shop(worker(**fields), deploy_timeout=60.0)
    files = {"Chart.yaml": "{}"}
    with helm.session(helm.Target("/k", ""), str(tmp_path)) as runner:
        rollouts = rollout.of("shop", "default", objects.build(model))
        operation.upgrade(runner, api.cluster(), model, files, rollouts, rollback=rollback, first=first)


def test_it_is_done_when_the_pods_have_stayed_up(
    api: ObjectApi, tool: Path, time: Time, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """helm is content as soon as a pod is ready; a worker has to stay up for a while."""
    play(tool, "exit 0\n")
    up = a_pod(running(ready=True), ready=True)
    cluster_has(api, up, replicas=1, updatedReplicas=1)
    time.steps = [lambda: None, lambda: cluster_has(api, up, **DONE)]
    upgrade(api, tmp_path)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "worker: 1 of 1 pods ready, watching that they stay up",
        "worker: 1 of 1 pods ready",
    ]
    assert time.now == 2.0


def test_a_worker_that_falls_after_helm_was_content_corrects_its_record(
    api: ObjectApi, tool: Path, time: Time, tmp_path: Path
) -> None:
    play(tool, "exit 0\n")
    revise(api, "superseded", "failed", "superseded", "deployed")
    cluster_has(api, a_pod(running(ready=True), ready=True))
    time.steps = [lambda: cluster_has(api, a_pod(running(3, last=exited(4))))]
    with pytest.raises(RolloutFailed) as raised:
        upgrade(api, tmp_path)
    assert raised.value.message.splitlines()[:2] == [
        "Deploy of shop failed: worker cannot come up",
        "worker: pod shop-worker-r2-a: exited with code 4, 3 times",
    ]
    assert statuses(api) == ["superseded", "failed", "deployed", "failed"]


def test_with_rollback_it_goes_back_and_remembers_why(
    api: ObjectApi, tool: Path, time: Time, tmp_path: Path
) -> None:
    play(tool, "exit 0\n")
    revise(api, "superseded", "deployed")
    cluster_has(api, a_pod(running(ready=True), ready=True))
    time.steps = [lambda: cluster_has(api, a_pod(running(3, last=exited(4))))]
    with pytest.raises(RolloutFailed):
        upgrade(api, tmp_path, rollback=True)
    assert asked(tool) == ["upgrade", "rollback"]
    assert statuses(api) == ["superseded", "deployed"]
    assert "worker cannot come up" in rolled_back.told("shop")

    cluster_has(api, a_pod(running(ready=True), ready=True), **DONE)
    upgrade(api, tmp_path, rollback=True)
    assert rolled_back.told("shop") == ""


def test_a_doomed_rollout_ends_helm(
    api: ObjectApi, tool: Path, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tool, WAITS)
    monkeypatch.setenv("READY", str(tmp_path / "ready"))
    os.mkfifo(tmp_path / "ready")
    cluster_has(api, a_pod(waiting("ContainerCreating")))

    def fail_when_helm_is_at_work() -> None:
        (tmp_path / "ready").read_text()
        cluster_has(api, a_pod(waiting("ErrImagePull", "dokku/shop:3: not found")))

    threading.Thread(target=fail_when_helm_is_at_work, daemon=True).start()
    with pytest.raises(RolloutFailed, match="worker cannot come up") as raised:
        upgrade(api, tmp_path)
    assert "dokku ps:rebuild shop" in raised.value.message
    assert asked(tool) == ["upgrade", "upgrade ended"]


@pytest.mark.parametrize("words", ["context deadline exceeded", "timed out waiting for the condition"])
def test_helm_s_time_is_up(api: ObjectApi, tool: Path, time: Time, tmp_path: Path, words: str) -> None:
    play(tool, f"echo 'Error: {words}' >&2; exit 1\n")
    cluster_has(api, a_pod(running()))
    refused = event("Unhealthy", 3, "Readiness probe failed: connection refused", "Warning")
    api.put(f"{CORE}/events/1", **refused, involvedObject={"name": "shop-worker-r2-a"})
    with pytest.raises(RolloutFailed) as raised:
        upgrade(api, tmp_path)
    lines = raised.value.message.splitlines()
    assert lines[0] == "Deploy of shop failed: not all pods were ready within 60s (deploy-timeout)"
    assert lines[1].startswith("worker: pod shop-worker-r2-a: NotReady: Readiness probe failed")


def test_the_time_is_up_after_helm_was_content(
    api: ObjectApi, tool: Path, time: Time, tmp_path: Path
) -> None:
    play(tool, "exit 0\n")
    revise(api, "deployed")
    cluster_has(api, a_pod(running()))
    with pytest.raises(RolloutFailed, match="not all pods were ready within 60s"):
        upgrade(api, tmp_path)
    assert 60 < time.now < 63
    assert statuses(api) == ["failed"]


def test_helm_s_own_failure_is_told_in_its_words(
    api: ObjectApi, tool: Path, time: Time, tmp_path: Path
) -> None:
    play(tool, "echo 'Error: UPGRADE FAILED: no' >&2; exit 1\n")
    cluster_has(api)
    with pytest.raises(PluginError) as raised:
        upgrade(api, tmp_path)
    assert raised.value.message == "Error deploying: Error: UPGRADE FAILED: no"
    play(tool, "exit 3\n")
    with pytest.raises(PluginError, match="Error deploying: helm failed with exit code 3"):
        upgrade(api, tmp_path)


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({"rollback": True, "first": True}, 0),
        ({"rollback": False, "first": True}, 1),
        ({"rollback": True, "first": False}, 1),
    ],
)
@pytest.mark.usefixtures("time")
def test_a_first_release_that_fails_is_stopped_where_a_rollback_is_wanted(
    api: ObjectApi, tool: Path, tmp_path: Path, options: dict[str, bool], scale: int
) -> None:
    """helm would uninstall it, and nobody could look at what went wrong."""
    play(tool, 'echo "$@" >>"$ASKED"; echo no >&2; exit 1\n')
    cluster_has(api)
    with pytest.raises(PluginError):
        upgrade(api, tmp_path, **options)
    assert api.objects[f"{APPS}/deployments/shop-worker"]["spec"]["replicas"] == scale
    assert ("--rollback-on-failure" in asked(tool)[1]) is (scale == 1 and options["rollback"])


@pytest.mark.usefixtures("time")
def test_an_autoscaler_does_not_start_again_what_is_stopped(
    api: ObjectApi, tool: Path, tmp_path: Path
) -> None:
    play(tool, "exit 1\n")
    cluster_has(api)
    path = "/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects/shop-worker"
    api.put(path, metadata={"labels": {"app.kubernetes.io/part-of": "shop"}})
    scaling = Autoscaling(1, 2, 30, 300, (Trigger("load", "cpu", {}),))
    with pytest.raises(PluginError):
        upgrade(api, tmp_path, rollback=True, first=True, autoscaling=scaling)
    assert api.objects[path]["metadata"]["annotations"] == {"autoscaling.keda.sh/paused-replicas": "0"}
    assert api.objects[f"{APPS}/deployments/shop-worker"]["spec"]["replicas"] == 0
