"""Watches of pods that last for hours: most of the time nothing comes, and at any time they may break."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scheduler_k3s.lines import Output
from scheduler_k3s.operations import follow, run_pod
from scheduler_k3s.operations.follow import Follower
from scheduler_k3s.operations.logs import Prefixes
from scheduler_k3s.operations.run_pod import RunPod
from scheduler_k3s.pods import Source
from scheduler_k3s.tools.cluster import Cluster
from unit.api_server import Api, Pod, serve, stamp

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def api() -> Iterator[Api]:
    with serve() as served:
        yield served


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def watches(api: Api) -> int:
    return sum("watch" in query for _, query in api.paths("/pods"))


def test_a_run_outlives_a_watch_that_breaks_after_long_silence(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_pod, "_LOST", 0.0)
    pod = Pod("demo-run-a", kind="run", running=True)
    api.add(pod)
    run = RunPod(Cluster.open(str(api.kubeconfig(tmp_path))), "default", "demo-run")
    run.start()
    run.until_made()
    api.cut("watch")
    until(lambda: watches(api) > 1)
    with api.changing():
        pod.running = False
        api.modify(pod)
    assert run.until_ended().code == 0


@pytest.mark.parametrize("broken", ["watch", "log"])
def test_logs_are_followed_on_when_a_connection_breaks_after_long_silence(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(follow, "PATIENCE", 0.0)
    first, second = (Pod(f"demo-web-{letter}", b"%s\n" % letter.encode(), running=True) for letter in "ab")
    api.add(first)
    cluster = Cluster.open(str(api.kubeconfig(tmp_path)))

    def connections() -> int:
        return watches(api) if broken == "watch" else len(api.paths("/demo-web-a/log"))

    def change() -> None:
        try:
            until(lambda: watches(api) > 0 and bool(api.paths("/demo-web-a/log")))
            before = connections()
            api.cut(broken)
            until(lambda: connections() > before)
            with api.changing():
                first.lines.append((stamp(900), b"more\n"))
            api.add(second)
            until(lambda: bool(api.paths("/demo-web-b/log")))
        finally:
            for pod in list(api.pods.values()):
                api.remove(pod)

    threading.Thread(target=change, daemon=True).start()
    reading, writing = os.pipe()
    try:
        source = Source(cluster, PODS, "app.kubernetes.io/part-of=demo")
        Follower(source, Output(writing), Prefixes(quiet=True), 0).run(cluster.list(PODS))
        assert sorted(os.read(reading, 100).splitlines()) == [b"a", b"b", b"more"]
    finally:
        threading.stack_size(0)
        os.close(reading)
        os.close(writing)
