"""What a pod object tells, for pods in every stage of their life."""

from typing import Any

import pytest
from scheduler_k3s import pods

WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off\n  pulling image"}}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}


def pod(*statuses: dict[str, Any], **status: Any) -> dict[str, Any]:
    containers = [{"name": "sidecar"}, {"name": "app"}]
    annotations = {"kubectl.kubernetes.io/default-container": "app"}
    return {
        "metadata": {"name": "demo-web-1", "annotations": annotations},
        "spec": {"containers": containers},
        "status": {**status, "containerStatuses": list(statuses)},
    }


def test_the_annotation_chooses_the_container_and_its_status() -> None:
    both = pod({"name": "sidecar", "containerID": "c://1"}, {"name": "app", "containerID": "c://2"})
    assert (pods.container(both), pods.instance(both)) == ("app", "c://2")
    both["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "gone"}
    assert (pods.container(both), pods.instance(both)) == ("sidecar", "c://1")
    del both["metadata"]["annotations"]
    assert pods.container(both) == "sidecar"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (pod({"name": "app", "state": WAITING}), "ImagePullBackOff: Back-off pulling image"),
        (pod({"name": "sidecar", "state": WAITING}, phase="Pending"), "Pending"),
        (pod({"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}), "ContainerCreating"),
        (pod(phase="Pending", conditions=[UNSCHEDULED]), "Unschedulable: 0/1 nodes"),
        (pod(phase="Pending", conditions=[{**UNSCHEDULED, "status": "True"}]), "Pending"),
        (pod(phase="Failed", reason="Evicted", message="low on memory"), "Evicted: low on memory"),
        ({**pod(), "status": {}}, "Pending"),
    ],
)
def test_the_reason_for_waiting_is_the_most_particular_one(found: dict[str, Any], reason: str) -> None:
    assert pods.waiting_reason(found) == reason


@pytest.mark.parametrize(
    ("phase", "ended"), [("Pending", False), ("Running", False), ("Succeeded", True), ("Failed", True)]
)
def test_a_pod_has_ended_when_nothing_of_it_runs_again(phase: str, ended: bool) -> None:
    assert pods.ended(pod(phase=phase)) is ended


def test_a_container_between_two_starts_has_a_log_and_does_not_run() -> None:
    waiting = pod(
        {"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "containerID": "c://7"}
    )
    assert (pods.instance(waiting), pods.running(waiting)) == ("c://7", False)
    assert pods.running(pod({"name": "app", "state": {"running": {}}}))
