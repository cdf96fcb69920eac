"""What the pods of a system chart do, and when there is no hope for them."""

from typing import Any

from scheduler_k3s import chart_pods
from scheduler_k3s.charts import CHARTS

Object = dict[str, Any]
KEDA = next(chart for chart in CHARTS if chart.name == "keda")
BACK_OFF = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
REFUSED = {"waiting": {"reason": "ErrImagePull", "message": "ghcr.io/x: not found"}}
SLOW = {"waiting": {"reason": "ErrImagePull", "message": "dial tcp: i/o timeout"}}


def pod(name: str, state: Object | None = None, instance: str = "keda", ready: bool = False) -> Object:
    state = state or {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    return {
        "metadata": {"name": name, "labels": {chart_pods.INSTANCE: instance}},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"name": "main", "image": "ghcr.io/x", "ready": ready, "state": state}],
        },
    }


def unschedulable(name: str) -> Object:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "Insufficient cpu",
    }
    return {
        "metadata": {"name": name, "labels": {}},
        "status": {"phase": "Pending", "conditions": [condition]},
    }


def test_pods_of_the_neighbour_and_ended_jobs_do_not_count() -> None:
    done = pod("check")
    done["status"]["phase"] = "Succeeded"
    unlabelled = pod("made-by-an-operator")
    del unlabelled["metadata"]["labels"]
    found = chart_pods.of_chart(KEDA, [pod("a"), pod("b", instance="keda-add-ons-http"), done, unlabelled])
    assert [each["metadata"]["name"] for each in found] == ["a", "made-by-an-operator"]


def test_the_summary() -> None:
    assert chart_pods.summary([], {}) == "no pods yet"
    pods = [pod("a", ready=True), pod("b"), pod("c", REFUSED), unschedulable("d")]
    assert chart_pods.summary(pods, {}) == (
        "1 of 4 pods ready, 1 failing to pull ghcr.io/x, 1 started, not ready yet, 1 waiting for a node with room"
    )
    leaving = pod("old")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert chart_pods.summary([pod("a", ready=True), leaving], {}) == "1 of 1 pods ready, 1 stopping"


def test_an_image_that_the_registry_refuses_is_hopeless_after_a_while() -> None:
    doom = chart_pods.Doom(KEDA, [])
    assert doom.look([pod("a", REFUSED)], 0) == []
    # later the kubelet only says that it waits
    assert doom.look([pod("a", BACK_OFF)], 9) == []
    (failure,) = doom.look([pod("a", REFUSED)], 10)
    assert (failure.pod, failure.reason) == ("a", "ErrImagePull")
    assert "dokku scheduler-k3s:charts:set keda.KEY VALUE" in failure.hint


def test_what_recovers_begins_anew() -> None:
    doom = chart_pods.Doom(KEDA, [])
    doom.look([pod("a", REFUSED)], 0)
    doom.look([pod("a")], 5)
    assert doom.look([pod("a", REFUSED)], 12) == []


def test_networks_may_recover_and_old_pods_are_about_to_go() -> None:
    doom = chart_pods.Doom(KEDA, [pod("old", REFUSED)])
    for now in (0, 100, 200):
        assert doom.look([pod("old", REFUSED), pod("new", SLOW)], now) == []


def test_no_node_has_room() -> None:
    doom = chart_pods.Doom(KEDA, [])
    assert doom.look([unschedulable("a")], 0) == doom.look([unschedulable("a")], 59) == []
    (failure,) = doom.look([unschedulable("a")], 60)
    assert (failure.reason, failure.message) == ("Unschedulable", "Insufficient cpu")
    assert "charts-disabled" in failure.hint


def test_the_reasons_after_helm_has_given_up() -> None:
    crashed = {"terminated": {"exitCode": 2, "reason": "Error"}}
    pods = [pod("ready", ready=True), pod("crashed", crashed), pod("slow", SLOW), pod("silent")]
    found = chart_pods.reasons(KEDA, pods, {})
    assert [(each.pod, each.reason) for each in found] == [
        ("crashed", "Error"),
        ("slow", "ErrImagePull"),
        ("silent", "NotReady"),
    ]
    assert found[0].message == "exited with code 2, once"
    assert found[2].container == "main"
    assert not any("APP" in each.hint for each in found)
