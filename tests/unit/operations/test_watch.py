"""What a deploy shows of its pods, how often, and the report of one that failed."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from scheduler_k3s.diagnosis import Failure
from scheduler_k3s.operations import watch
from scheduler_k3s.operations.watch import Watch
from scheduler_k3s.rollout import Rollout
from scheduler_k3s.tools.cluster import ApiError
from unit.kube_objects import (
    IMAGE,
    Object,
    deployment,
    event,
    exited,
    pod,
    replica_set,
    running,
    unschedulable,
    waiting,
)
from unit.object_api import ObjectApi, serve

APPS, CORE = "/apis/apps/v1/namespaces/default", "/api/v1/namespaces/default"
LABELS = {"app.kubernetes.io/part-of": "shop"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as served:
        place(served, APPS, "deployments", deployment())
        place(served, APPS, "replicasets", replica_set())
        yield served


@pytest.fixture
def watched(api: ObjectApi, clock: Clock) -> Watch:
    return Watch(api.cluster(), "shop", "default", [Rollout("web", "shop-web", "200")])


def place(api: ObjectApi, base: str, kind: str, item: Object) -> None:
    metadata = {**item["metadata"], "labels": LABELS}
    api.put(f"{base}/{kind}/{item['metadata']['name']}", **{**item, "metadata": metadata})


def pods(api: ObjectApi, *items: Object) -> None:
    for path in [path for path in api.objects if path.startswith(f"{CORE}/pods/")]:
        del api.objects[path]
    for item in items:
        place(api, CORE, "pods", item)


def happen(api: ObjectApi, subject: str, *events: Object) -> None:
    for number, item in enumerate(events):
        path = f"{CORE}/events/{subject}.{number}"
        api.put(path, **item, involvedObject={"name": subject})


def said(watched: Watch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    watched.look()
    watched.show()
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_a_text_is_shown_when_it_changes(
    api: ObjectApi, watched: Watch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(watched, capsys) == ["web: 0 of 2 pods ready"]
    for _ in range(5):
        clock.now += 1
        assert said(watched, capsys) == []
    pods(api, pod(containers=[waiting("ContainerCreating")]))
    happen(api, "shop-web-r2-a", event("Pulling", 1))
    assert said(watched, capsys) == [f"web: 0 of 2 pods ready, 1 pulling {IMAGE}"]
    pods(api, pod(containers=[running()]))
    assert said(watched, capsys) == ["web: 0 of 2 pods ready, 1 started, not ready yet"]
    assert said(watched, capsys) == []


def test_when_nothing_changes_a_line_now_and_then_has_the_time(
    api: ObjectApi, watched: Watch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "web: 0 of 2 pods ready"
    assert said(watched, capsys) == [text]
    heard = []
    for _ in range(35):
        clock.now += 1
        heard += said(watched, capsys)
    assert heard == [f"{text} (10s)", f"{text} (20s)", f"{text} (30s)"]


def test_news_put_the_next_sign_of_life_off(
    api: ObjectApi, watched: Watch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    said(watched, capsys)
    clock.now += 9
    pods(api, pod())
    assert said(watched, capsys) == ["web: 0 of 2 pods ready, 1 being placed"]
    clock.now += 9
    assert said(watched, capsys) == []
    clock.now += 1
    assert said(watched, capsys) == ["web: 0 of 2 pods ready, 1 being placed (19s)"]


def test_what_is_done_is_not_repeated(
    api: ObjectApi, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    place(api, APPS, "deployments", deployment("worker", scale=0))
    place(api, APPS, "replicasets", replica_set("worker"))
    rollouts = [Rollout(type_, f"shop-{type_}", "200") for type_ in ("web", "worker")]
    both = Watch(api.cluster(), "shop", "default", rollouts)
    assert said(both, capsys) == ["web: 0 of 2 pods ready", "worker: stopped, as its scale is 0"]
    assert not both.settled
    clock.now += 10
    assert said(both, capsys) == ["web: 0 of 2 pods ready (10s)"]
    place(api, APPS, "deployments", deployment(scale=0))
    said(both, capsys)
    assert both.settled


def test_nothing_is_said_of_what_is_not_applied_but_the_time(
    api: ObjectApi, watched: Watch, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    place(api, APPS, "deployments", deployment(version="100"))
    assert said(watched, capsys) == []
    clock.now += 10
    assert said(watched, capsys) == ["web: waiting to be changed (10s)"]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_is_away_for_a_moment_is_asked_again(
    api: ObjectApi, watched: Watch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    api.down = code
    assert said(watched, capsys) == []
    api.down = 0
    assert said(watched, capsys) == ["web: 0 of 2 pods ready"]


def test_a_server_that_refuses_ends_it(api: ObjectApi, watched: Watch) -> None:
    api.down = 403
    with pytest.raises(ApiError):
        watched.look()


def test_a_server_that_is_gone_is_waited_for(clock: Clock) -> None:
    with serve() as api:
        watched = Watch(api.cluster(), "shop", "default", [Rollout("web", "shop-web", "200")])
    watched.look()
    assert not watched.settled


# events


def asked_about(api: ObjectApi) -> list[str]:
    return [
        query["fieldSelector"].partition("=")[2] for _, path, query in api.asked if path.endswith("events")
    ]


def test_events_are_read_of_the_newest_pods_that_are_to_become_ready(api: ObjectApi, watched: Watch) -> None:
    old = [pod(f"shop-web-r1-{n}", revision="1") for n in range(9)]
    new = pod("shop-web-r2-z")
    new["metadata"]["creationTimestamp"] = "2026-01-01T00:00:01Z"
    done = pod("shop-web-r2-b", ready=True)
    evicted = pod("shop-web-r2-c", phase="Failed")
    job = pod("shop-cron-a")
    job["metadata"]["ownerReferences"][0]["kind"] = "Job"
    pods(api, *old, new, done, evicted, job)
    watched.look()
    assert asked_about(api)[0] == "shop-web-r2-z"
    assert len(asked_about(api)) == 8
    assert not {"shop-web-r2-b", "shop-web-r2-c", "shop-cron-a"} & set(asked_about(api))


def test_events_of_claims_are_read_for_a_pod_without_a_node(
    api: ObjectApi, watched: Watch, clock: Clock
) -> None:
    stuck = unschedulable()
    stuck["spec"] = {"volumes": [{"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "data"}}]}
    pods(api, stuck)
    happen(api, "data", event("WaitForFirstConsumer"))
    for _ in range(3):
        watched.look()
        clock.now += 60
    assert set(asked_about(api)) == {"shop-web-r2-a", "data"}
    assert watched.failures() == []


# the report


def report(watched: Watch, *failures: Failure) -> list[str]:
    return watched.report(failures or watched.failures(), "Deploy of shop failed").message.splitlines()


def test_the_report_of_a_crash_has_the_last_words_and_what_helps(api: ObjectApi, watched: Watch) -> None:
    watched.look()
    looping = waiting("CrashLoopBackOff", restarts=2, last=exited(137, "OOMKilled"))
    pods(api, pod(containers=[looping]))
    happen(api, "shop-web-r2-a", event("BackOff", 3, "Back-off restarting failed container", "Warning"))
    api.logs[f"{CORE}/pods/shop-web-r2-a/log?previous=true"] = "starting\n  cannot\x85breathe\n"
    watched.look()
    assert report(watched) == [
        "Deploy of shop failed",
        "web: pod shop-web-r2-a: OOMKilled: killed for using more memory than its limit, 3 times",
        "  its last log lines:",
        "    starting",
        "      cannot",
        "    breathe",
        "  Give it more with: dokku resource:limit --memory SIZE --process-type web shop",
    ]
    (log,) = [query for _, path, query in api.asked if path.endswith("/log")]
    assert log == {"container": "shop-web", "tailLines": "15", "previous": "true"}


def test_the_log_of_the_run_before_may_be_gone(api: ObjectApi, watched: Watch) -> None:
    api.logs[f"{CORE}/pods/p/log?previous=false"] = "this one\n"
    failure = Failure("web", "p", "Error", "exited", container="c", previous=True)
    assert report(watched, failure)[-2:] == ["  its last log lines:", "    this one"]


def test_a_failure_without_a_log_is_told_without(api: ObjectApi, watched: Watch) -> None:
    failure = Failure("web", "p", "Unschedulable", "no\n  room", "Add APPLES for TYPE of APP")
    assert report(watched, failure) == [
        "Deploy of shop failed",
        "web: pod p: Unschedulable: no room",
        "  Add APPLES for web of shop",
    ]
    assert report(watched, Failure("web", "p", "ErrImagePull", "", container="c"))[1:] == [
        "web: pod p: ErrImagePull"
    ]
    assert report(watched, Failure("web", "", "FailedCreate", "exceeded quota"))[1:] == [
        "web: FailedCreate: exceeded quota"
    ]


def test_the_last_two_warnings_that_say_more_are_shown(api: ObjectApi, watched: Watch) -> None:
    pods(api, pod())
    happen(
        api,
        "shop-web-r2-a",
        event("FailedMount", 1, "first", "Warning"),
        event("FailedMount", 2, "second\n line", "Warning"),
        event("FailedMount", 3, "second\n line", "Warning"),
        event("Pulled", 4, "not a warning"),
        event("FailedMount", 5, "third", "Warning"),
        event("Unhealthy", 6, "the failure's own words", "Warning"),
    )
    watched.look()
    failure = Failure("web", "shop-web-r2-a", "NotReady", "the failure's\nown words")
    assert report(watched, failure)[2:] == [
        "  event: FailedMount: second line",
        "  event: FailedMount: third",
    ]
    silent = Failure("web", "shop-web-r2-a", "NotReady", "")
    assert report(watched, silent)[2:] == [
        "  event: FailedMount: third",
        "  event: Unhealthy: the failure's own words",
    ]


def test_long_lines_are_cut(api: ObjectApi, watched: Watch) -> None:
    api.logs[f"{CORE}/pods/p/log?previous=false"] = "x" * 10_000 + "\n" + "line\n" * 40
    lines = report(watched, Failure("web", "p", "Error", "y" * 10_000, container="c"))
    assert all(len(line) < 700 for line in lines)
    assert lines[2] == "  its last log lines:"
    assert lines[3:] == ["    line"] * 15


def test_each_process_has_its_block(api: ObjectApi, clock: Clock) -> None:
    place(api, APPS, "deployments", deployment("worker"))
    place(api, APPS, "replicasets", replica_set("worker"))
    rollouts = [Rollout(type_, f"shop-{type_}", "200") for type_ in ("web", "worker")]
    both = Watch(api.cluster(), "shop", "default", rollouts)
    both.look()
    for type_ in ("web", "worker"):
        place(
            api,
            CORE,
            "pods",
            pod(f"shop-{type_}-r2-a", [running(3, last=exited(2))], type_=type_),
        )
    both.look()
    blocks = [line for line in report(both) if line.startswith("w")]
    assert blocks == [
        "web: pod shop-web-r2-a: exited with code 2, 3 times",
        "worker: pod shop-worker-r2-a: exited with code 2, 3 times",
    ]


def test_out_of_time_every_process_that_is_not_done_is_named(api: ObjectApi, watched: Watch) -> None:
    pods(api, pod(containers=[running()]))
    happen(api, "shop-web-r2-a", event("Unhealthy", 3, "Readiness probe failed: refused", "Warning"))
    watched.look()
    (failure,) = watched.unfinished()
    assert (failure.process, failure.message) == ("web", "Readiness probe failed: refused")
