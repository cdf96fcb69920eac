"""When a rollout is doomed, when it is done, and what is said of it meanwhile. The clock is the test's own."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from scheduler_k3s.diagnosis import Failure
from scheduler_k3s.rollout import Rollout, of, unfinished
from unit.kube_objects import (
    IMAGE,
    Object,
    deployment,
    event,
    exited,
    pod,
    replica_set,
    running,
    terminated,
    unschedulable,
    waiting,
)

NOT_FOUND = f'failed to resolve reference "{IMAGE}": not found'
REFUSED = "dial tcp 10.0.0.1:443: connect: connection refused"
BACK_OFF = f'Back-off pulling image "{IMAGE}"'
Events = Mapping[str, Sequence[Object]]


def rollout(type_: str = "web") -> Rollout:
    return Rollout(type_, f"shop-{type_}", "200")


def look(
    rollout: Rollout, *pods: Object, now: float = 0.0, events: Events | None = None, **status: Any
) -> None:
    """One look at a Deployment in the middle of its way to revision 2, with these pods."""
    sets = [replica_set(revision="1", version="100"), replica_set(revision="2")]
    rollout.look([deployment(**status)], sets, pods, events or {}, now)


def doom(rollout: Rollout) -> str:
    return rollout.failure.reason if rollout.failure else ""


def lasting(status: Object, *seconds: float, events: Events | None = None) -> list[str]:
    """What is said of a container in that state at each of these times."""
    watched = rollout()
    said = []
    for now in seconds:
        look(watched, pod(containers=[status]), now=now, events=events)
        said.append(doom(watched))
    return said


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("ErrImagePull", NOT_FOUND),
        ("ErrImagePull", f"manifest for {IMAGE} not found: manifest unknown"),
        ("ErrImagePull", "pull access denied, repository does not exist or may require authorization"),
        ("ErrImagePull", "unexpected status from HEAD request: 401 Unauthorized"),
        ("ErrImagePull", "no basic auth credentials: authentication required"),
        ("ErrImagePull", "unexpected status: 403 Forbidden"),
        ("InvalidImageName", 'couldn\'t parse image name "A/b": invalid reference format'),
        ("InvalidImageName", ""),
    ],
)
def test_a_registry_s_no_is_final_when_seen_twice(reason: str, message: str) -> None:
    assert lasting(waiting(reason, message), 0, 0.2) == ["", reason]


@pytest.mark.parametrize(
    "message",
    [
        REFUSED,
        "lookup registry.example.com: no such host",
        "net/http: TLS handshake timeout",
        "toomanyrequests: You have reached your unauthenticated pull rate limit",
        "unexpected status: 503 Service Unavailable",
    ],
)
def test_any_other_pull_error_is_given_a_minute(message: str) -> None:
    failing = waiting("ErrImagePull", message)
    assert lasting(failing, 0, 1, 59.9, 60, 61) == ["", "", "", "ErrImagePull", "ErrImagePull"]


@pytest.mark.parametrize("reason", ["ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"])
def test_rare_pull_errors_count_too(reason: str) -> None:
    assert lasting(waiting(reason), 0, 60) == ["", reason]


def test_back_off_between_two_tries_does_not_forget_the_first_no() -> None:
    watched = rollout()
    for status in (waiting("ErrImagePull", NOT_FOUND), waiting("ImagePullBackOff", BACK_OFF)):
        look(watched, pod(containers=[status]))
        assert doom(watched) == ""
    look(watched, pod(containers=[waiting("ErrImagePull", NOT_FOUND)]))
    assert doom(watched) == "ErrImagePull"


def test_a_pull_that_works_in_between_begins_anew() -> None:
    watched = rollout()
    for now, status in (
        (0, waiting("ErrImagePull", REFUSED)),
        (30, waiting("ContainerCreating")),
        (31, waiting("ErrImagePull", REFUSED)),
        (90, waiting("ErrImagePull", REFUSED)),
    ):
        look(watched, pod(containers=[status]), now=now)
        assert doom(watched) == ""
    look(watched, pod(containers=[waiting("ErrImagePull", REFUSED)]), now=91)
    assert doom(watched) == "ErrImagePull"


def test_an_honest_long_pull_is_not_doomed() -> None:
    pulling = {"shop-web-r2-a": [event("Scheduled"), event("Pulling", 1)]}
    assert lasting(waiting("ContainerCreating"), 0, 60, 3600, events=pulling) == ["", "", ""]


def test_a_long_pull_after_a_failed_one_is_not_doomed_while_it_lasts() -> None:
    """The container still shows the error of the first try; only the events know of the second."""
    failed = [event("Pulling", 1), event("Failed", 3), event("BackOff", 4)]
    watched = rollout()
    for now, events in ((3, failed), (200, [*failed, event("Pulling", 20)])):
        look(
            watched,
            pod(containers=[waiting("ErrImagePull", REFUSED)]),
            now=now,
            events={"shop-web-r2-a": events},
        )
        assert doom(watched) == ""
    look(
        watched,
        pod(containers=[waiting("ErrImagePull", REFUSED)]),
        now=201,
        events={"shop-web-r2-a": [*failed, event("Pulling", 20), event("Failed", 201)]},
    )
    assert doom(watched) == "ErrImagePull"


def test_a_pull_that_fails_in_the_second_of_its_start_is_not_called_a_pull() -> None:
    at_once = {"shop-web-r2-a": [event("Pulling", 7), event("Failed", 7)]}
    assert lasting(waiting("ErrImagePull", REFUSED), 0, 60, events=at_once) == ["", "ErrImagePull"]


@pytest.mark.parametrize(
    "reason", ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]
)
def test_a_container_that_cannot_be_made_has_ten_seconds(reason: str) -> None:
    assert lasting(waiting(reason, "no such secret"), 0, 9.9, 10) == ["", "", reason]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (terminated(restarts=1), ""),
        (terminated(restarts=2), "Error"),
        (waiting("CrashLoopBackOff", restarts=1, last=exited()), ""),
        (waiting("CrashLoopBackOff", restarts=2, last=exited()), "Error"),
        (running(restarts=2, last=exited()), ""),
        (running(restarts=3, last=exited()), "Error"),
        (waiting("CrashLoopBackOff", restarts=7, last=exited(137, "OOMKilled")), "OOMKilled"),
    ],
)
def test_the_third_exit_of_a_container_is_the_last(status: Object, expected: str) -> None:
    watched = rollout()
    look(watched)
    look(watched, pod(containers=[status]), now=1)
    assert doom(watched) == expected


def test_three_pods_that_exit_once_each_are_not_one_that_exits_thrice() -> None:
    watched = rollout()
    look(watched)
    look(watched, *(pod(f"shop-web-r2-{letter}", [terminated()]) for letter in "abc"))
    assert doom(watched) == ""


def test_pods_that_stay_are_not_judged_by_their_past() -> None:
    """Restarting one process leaves the pods of the others, which may have been restarted over the weeks."""
    watched = rollout()
    for restarts, expected in ((5, ""), (7, ""), (8, "Error")):
        look(watched, pod(containers=[running(restarts, ready=True, last=exited())], ready=True))
        assert doom(watched) == expected


def test_a_pod_without_a_node_has_a_minute() -> None:
    watched = rollout()
    for now, expected in ((0, ""), (59.9, ""), (60, "Unschedulable")):
        look(watched, unschedulable(), now=now)
        assert doom(watched) == expected
    assert watched.failure is not None
    assert watched.failure.message == "0/1 nodes are available"
    assert "scheduler-k3s:cluster:add" in watched.failure.hint


def test_cordoned_nodes_are_opened_rather_than_joined_by_others() -> None:
    full = "1 Insufficient memory, 1 node(s) were unschedulable"
    for message, expected in (
        ("0/1 nodes are available: 1 node(s) were unschedulable", "kubectl uncordon NODE"),
        (f"0/2 nodes are available: {full}", "scheduler-k3s:cluster:add"),
    ):
        watched = rollout()
        for now in (0, 60):
            look(watched, unschedulable(message=message), now=now)
        assert watched.failure is not None
        assert expected in watched.failure.hint


@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "WaitForFirstConsumer", "ExternalProvisioning"])
def test_a_node_or_a_volume_on_its_way_is_waited_for(reason: str) -> None:
    watched = rollout()
    for now in (0, 60, 600):
        look(watched, unschedulable(), now=now, events={"shop-web-r2-a": [event(reason)]})
        assert doom(watched) == ""


def test_an_autoscaler_s_no_is_not_hope() -> None:
    watched = rollout()
    for now, expected in ((0, ""), (60, "Unschedulable")):
        look(watched, unschedulable(), now=now, events={"shop-web-r2-a": [event("NotTriggerScaleUp")]})
        assert doom(watched) == expected


def test_a_quota_has_ten_seconds() -> None:
    quota = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota: q",
    }
    watched = rollout()
    for now, expected in ((0, ""), (9.9, ""), (10, "FailedCreate")):
        look(watched, now=now, conditions=[quota])
        assert doom(watched) == expected
    assert watched.failure == Failure(
        "web",
        "",
        "FailedCreate",
        "exceeded quota: q",
        "The cluster refuses to create the pods: a quota, a limit range or an admission webhook is in the way",
    )
    look(watched, now=20, conditions=[{**quota, "status": "False"}])
    look(watched, now=21, conditions=[quota])
    assert doom(watched) == ""


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_whatever_else_waits_is_waited_for(reason: str) -> None:
    assert lasting(waiting(reason), 0, 60, 3600) == ["", "", ""]


def test_a_running_container_that_is_not_ready_is_waited_for() -> None:
    assert lasting(running(), 0, 60, 3600) == ["", "", ""]


@pytest.mark.parametrize("first", [0, 1])
def test_the_patience_of_one_container_is_not_that_of_its_neighbour(first: int) -> None:
    containers = [running(name="sidecar", ready=True), waiting("ErrImagePull", REFUSED)]
    if first:
        containers.reverse()
    watched = rollout()
    for now, expected in ((0, ""), (60, "ErrImagePull")):
        look(watched, pod(containers=containers), now=now)
        assert doom(watched) == expected
    assert watched.failure is not None
    assert watched.failure.container == "shop-web"


def test_an_init_container_that_needed_three_tries_and_made_it_is_no_failure() -> None:
    done = terminated(0, restarts=2, name="migrate", reason="Completed") | {"ready": True}
    watched = rollout()
    look(watched)
    look(watched, pod(containers=[running()], initContainerStatuses=[done]))
    assert doom(watched) == ""
    assert watched.text == "web: 0 of 2 pods ready, 1 started, not ready yet"


def test_an_init_container_that_fails_is_a_failure() -> None:
    watched = rollout()
    look(watched)
    failing = terminated(4, restarts=2, name="migrate")
    look(watched, pod(containers=[waiting("PodInitializing")], initContainerStatuses=[failing]))
    assert watched.failure == Failure(
        "web", "shop-web-r2-a", "Error", "exited with code 4, 3 times", "", 4, "migrate"
    )


def test_pods_of_the_old_version_do_not_count() -> None:
    watched = rollout()
    old = pod("shop-web-r1-z", [waiting("CrashLoopBackOff", restarts=90, last=exited())], revision="1")
    fine = pod("shop-web-r1-y", [running(ready=True)], revision="1", ready=True)
    other = pod("shop-worker-r2-a", [terminated(restarts=9)], type_="worker")
    look(watched)
    look(watched, old, fine, other)
    assert doom(watched) == ""
    assert watched.ready == 0
    assert watched.text == "web: 0 of 2 pods ready"


def test_pods_that_leave_or_were_evicted_do_not_count() -> None:
    leaving = pod("shop-web-r2-a", [terminated(restarts=9)])
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    evicted = pod("shop-web-r2-b", phase="Failed", reason="Evicted")
    watched = rollout()
    look(watched)
    look(watched, leaving, evicted)
    assert doom(watched) == ""
    assert watched.text == "web: 0 of 2 pods ready, 1 evicted, 1 stopping"


def test_what_has_not_been_applied_yet_is_not_judged() -> None:
    failing = pod(containers=[waiting("ErrImagePull", NOT_FOUND)])
    before = deployment(version="100")
    unseen = deployment()
    unseen["status"]["observedGeneration"] = 3
    watched = rollout()
    for item in ([before], [unseen], []):
        for _ in range(3):
            watched.look(item, [replica_set()], [failing], {}, 0)
        assert not watched.applied
        assert not watched.settled
        assert doom(watched) == ""
        assert watched.text == "web: waiting to be changed"


@pytest.mark.parametrize(
    ("counts", "settled", "text"),
    [
        ({}, False, "web: 2 of 2 pods ready, watching that they stay up"),
        (
            {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1, "unavailableReplicas": 1},
            False,
            "web: 2 of 2 pods ready, watching that they stay up",
        ),
        (
            {"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3},
            False,
            "web: 2 of 2 pods ready, old pods are leaving",
        ),
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True, "web: 2 of 2 pods ready"),
    ],
)
def test_done_is_when_the_new_pods_stay_up_and_the_old_are_gone(
    counts: dict[str, Any], settled: bool, text: str
) -> None:
    watched = rollout()
    look(watched, *(pod(f"shop-web-r2-{c}", [running(ready=True)], ready=True) for c in "ab"), **counts)
    assert watched.settled is settled
    assert watched.text == text


def test_available_old_pods_are_not_taken_for_new_ones() -> None:
    watched = rollout()
    look(watched, replicas=2, updatedReplicas=0, availableReplicas=2)
    assert not watched.settled


def test_the_moment_before_the_new_replica_set_is_there_is_not_the_end() -> None:
    """The controller observes a change, counts the old pods and only then makes the new ReplicaSet."""
    watched = rollout()
    old = [pod(f"shop-web-r1-{c}", [running(ready=True)], revision="1", ready=True) for c in "ab"]
    item = deployment(revision="1", replicas=2, updatedReplicas=2, availableReplicas=2)
    watched.look([item], [replica_set(revision="1", version="100")], old, {}, 0)
    assert not watched.settled
    assert watched.ready == 0


def test_a_process_at_scale_0_is_done_when_its_pods_are_gone() -> None:
    watched = rollout()
    sets = [replica_set()]
    watched.look(
        [deployment(scale=0) | {"status": {"observedGeneration": 4, "replicas": 1}}], sets, [], {}, 0
    )
    assert not watched.settled
    watched.look([deployment(scale=0)], sets, [], {}, 0)
    assert watched.settled
    assert watched.text == "web: stopped, as its scale is 0"


PROGRESS: list[tuple[Object, list[Object], str]] = [
    (pod(), [], "being placed"),
    (unschedulable(), [], "waiting for a node with room"),
    (pod(containers=[waiting("ContainerCreating")]), [], "starting"),
    (pod(containers=[waiting("ContainerCreating")]), [event("Pulling", 1)], f"pulling {IMAGE}"),
    (pod(containers=[waiting("ContainerCreating")]), [event("Pulling", 1), event("Pulled", 9)], "starting"),
    (pod(containers=[waiting("ContainerCreating")]), [event("FailedMount", 1)], "waiting for a volume"),
    (
        pod(containers=[waiting("ContainerCreating")]),
        [event("FailedMount", 1), event("Pulling", 4)],
        f"pulling {IMAGE}",
    ),
    (pod(containers=[running()]), [], "started, not ready yet"),
    (pod(containers=[waiting("ImagePullBackOff", BACK_OFF)]), [], f"failing to pull {IMAGE}"),
    (
        pod(containers=[waiting("ImagePullBackOff", BACK_OFF)]),
        [event("Failed", 1), event("Pulling", 12)],
        f"pulling {IMAGE}",
    ),
    (pod(containers=[waiting("CreateContainerConfigError")]), [], "CreateContainerConfigError"),
    (pod(containers=[terminated(3)]), [], "restarting after exit code 3"),
    (
        pod(containers=[waiting("CrashLoopBackOff", restarts=1, last=exited(137))]),
        [],
        "restarting after exit code 137",
    ),
    (pod(containers=[waiting("CrashLoopBackOff", restarts=1)]), [], "restarting after exit code unknown"),
    (
        pod(containers=[running(name="sidecar"), waiting("ErrImagePull", REFUSED)]),
        [],
        f"failing to pull {IMAGE}",
    ),
    (
        pod(containers=[running(name="sidecar", ready=True), terminated(2)]),
        [],
        "restarting after exit code 2",
    ),
]


@pytest.mark.parametrize(("item", "events", "words"), PROGRESS)
def test_progress_says_what_a_pod_is_doing(item: Object, events: list[Object], words: str) -> None:
    watched = rollout()
    look(watched, item, events={"shop-web-r2-a": events})
    assert watched.text == f"web: 0 of 2 pods ready, 1 {words}"


def test_progress_counts_pods_that_do_the_same() -> None:
    watched = rollout()
    look(
        watched,
        pod("shop-web-r2-a", [running()]),
        pod("shop-web-r2-b", [running()]),
        pod("shop-web-r2-c", [waiting("ContainerCreating")]),
        pod("shop-web-r2-d", [running(ready=True)], ready=True),
    )
    assert watched.text == "web: 1 of 2 pods ready, 2 started, not ready yet, 1 starting"


def crash_of(status: Object) -> Failure:
    watched = rollout()
    look(watched)
    look(watched, pod(containers=[status]))
    assert watched.failure is not None
    return watched.failure


def test_a_crash_says_how_it_ended_and_what_helps() -> None:
    assert crash_of(terminated(3, restarts=2)) == Failure(
        "web", "shop-web-r2-a", "Error", "exited with code 3, 3 times", "", 3, "shop-web", previous=False
    )
    looping = crash_of(waiting("CrashLoopBackOff", restarts=3, last=exited(137, "OOMKilled")))
    assert looping.message == "killed for using more memory than its limit, 4 times"
    assert looping.previous
    assert "resource:limit --memory" in looping.hint
    assert "keep running" in crash_of(terminated(0, restarts=2, reason="Completed")).hint
    assert "not found" in crash_of(terminated(127, restarts=2)).hint
    assert "not executable" in crash_of(terminated(126, restarts=2)).hint
    unstartable = terminated(128, restarts=2, reason="StartError")
    unstartable["state"]["terminated"]["message"] = 'exec: "/app/web": no such file'
    assert crash_of(unstartable).message == 'exec: "/app/web": no such file'


@pytest.mark.parametrize(
    ("reason", "message", "hint"),
    [
        ("ErrImagePull", NOT_FOUND, "dokku ps:rebuild APP"),
        ("ErrImagePull", "pull access denied, repository does not exist", "dokku registry:login APP"),
        ("InvalidImageName", "", "dokku registry:report APP"),
        ("ErrImagePull", REFUSED, "cannot reach the registry"),
        ("CreateContainerConfigError", 'secret "x" not found', "cannot be made"),
    ],
)
def test_each_failure_to_begin_has_its_hint(reason: str, message: str, hint: str) -> None:
    watched = rollout()
    for now in (0, 60):
        look(watched, pod(containers=[waiting(reason, message)]), now=now)
    assert watched.failure is not None
    assert watched.failure.message == message
    assert hint in watched.failure.hint


def out_of_time(*pods: Object, events: list[Object] | None = None) -> Failure:
    watched = rollout()
    known = {"shop-web-r2-a": events or []}
    look(watched, *pods, events=known)
    return unfinished(watched, known)


def test_out_of_time_names_what_was_being_waited_for() -> None:
    pulling = out_of_time(pod(containers=[waiting("ContainerCreating")]), events=[event("Pulling", 1)])
    assert (pulling.reason, pulling.message, pulling.hint) == ("NotReady", f"pulling {IMAGE}", "")
    probe = event(
        "Unhealthy", 9, "Readiness probe failed: dial tcp 10.1.1.1:5000: connection refused", "Warning"
    )
    silent = out_of_time(pod(containers=[running()]), events=[event("Started", 2), probe])
    assert silent.message == probe["message"]
    assert "$PORT" in silent.hint
    assert silent.container == "shop-web"
    failing = out_of_time(pod(containers=[waiting("ImagePullBackOff", BACK_OFF)]))
    assert (failing.reason, failing.message) == ("ImagePullBackOff", BACK_OFF)
    assert out_of_time(pod(containers=[terminated(3)])).message == "exited with code 3, once"
    assert out_of_time(pod(containers=[terminated(3, restarts=1)])).message == "exited with code 3, 2 times"


def test_out_of_time_looks_past_the_containers_that_are_well() -> None:
    fine = running(name="sidecar", ready=True)
    done = terminated(0, name="migrate", reason="Completed") | {"ready": True}
    failed = out_of_time(pod(containers=[fine, terminated(3)], initContainerStatuses=[done]))
    assert (failed.container, failed.message) == ("shop-web", "exited with code 3, once")
    assert out_of_time(pod(containers=[running()], initContainerStatuses=[done])).reason == "NotReady"


def test_out_of_time_without_any_pod_repeats_the_progress() -> None:
    assert out_of_time().message == "web: 0 of 2 pods ready"


# pods that their node does not take


def refused(name: str, reason: str = "SysctlForbidden") -> Object:
    message = 'Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted'
    return pod(name, phase="Failed", reason=reason, message=message)


@pytest.mark.parametrize("reason", ["SysctlForbidden", "AppArmor", "UnexpectedAdmissionError"])
def test_the_third_pod_that_a_node_does_not_take_is_the_last(reason: str) -> None:
    watched = rollout()
    look(watched)
    pods = [refused(f"shop-web-r2-{letter}", reason) for letter in "abc"]
    look(watched, *pods[:2])
    assert (doom(watched), watched.text) == (
        "",
        f"web: 0 of 2 pods ready, 2 refused by the node ({reason})",
    )
    look(watched, *pods)
    assert watched.failure is not None
    assert (watched.failure.pod, watched.failure.reason) == ("shop-web-r2-c", reason)
    assert watched.failure.message == pods[0]["status"]["message"]
    assert ("docker-options:remove APP" in watched.failure.hint) is (reason == "SysctlForbidden")


def test_pods_that_were_refused_before_or_evicted_are_no_refusals() -> None:
    watched = rollout()
    before = [refused(f"shop-web-r2-{letter}") for letter in "abc"]
    look(watched, *before)
    evicted = [refused(f"shop-web-r2-{letter}", "Evicted") for letter in "defg"]
    look(watched, *before, *evicted)
    assert doom(watched) == ""


# a deploy that is over: one look has to do


def blunt(item: Object, events: list[Object] | None = None, **status: Any) -> Failure | None:
    watched = Rollout("web", "shop-web", "200", patient=False)
    look(watched, item, events={"shop-web-r2-a": events or []}, **status)
    return watched.failure


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (pod(containers=[waiting("ImagePullBackOff", f"{BACK_OFF}: {NOT_FOUND}")]), "ImagePullBackOff"),
        (pod(containers=[waiting("ErrImagePull", REFUSED)]), "ErrImagePull"),
        (
            pod(containers=[waiting("CreateContainerConfigError", "no such secret")]),
            "CreateContainerConfigError",
        ),
        (pod(containers=[waiting("CrashLoopBackOff", restarts=9, last=exited())]), "Error"),
        (unschedulable(), "Unschedulable"),
        (refused("shop-web-r2-a"), "SysctlForbidden"),
    ],
)
def test_afterwards_the_first_sign_is_enough(item: Object, reason: str) -> None:
    failure = blunt(item)
    assert failure is not None
    assert failure.reason == reason


def test_afterwards_a_quota_is_named_and_a_pod_that_is_ready_is_not() -> None:
    quota = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    failure = blunt(pod(containers=[running(4, ready=True, last=exited())], ready=True))
    assert failure is None
    watched = Rollout("web", "shop-web", "200", patient=False)
    look(watched, conditions=[quota])
    assert watched.failure is not None
    assert watched.failure.message == "exceeded quota"


def test_out_of_time_a_quota_and_a_full_cluster_are_named() -> None:
    watched = rollout()
    quota = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    look(watched, conditions=[quota])
    assert unfinished(watched, {}).message == "exceeded quota"
    assert out_of_time(unschedulable()).reason == "Unschedulable"
    evicted = pod("shop-web-r2-0", phase="Failed", reason="Evicted")
    assert out_of_time(evicted, pod(containers=[running()])).message == "started, not ready yet"


# which rollouts a release has


def named(name: str, namespace: str = "default", kind: str = "Deployment", **labels: str) -> Object:
    template = {"metadata": {"annotations": {"app.kubernetes.io/version": "7"}}}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"kind": kind, "metadata": metadata, "spec": {"template": template}}


def test_deployments_are_watched_by_the_name_that_they_have() -> None:
    own = {"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/name": "web"}
    found = of(
        "shop",
        "default",
        [
            named("blue-shop-web", **own),
            named("helper", **{"app.kubernetes.io/part-of": "other"}),
            named("unlabelled"),
            named("shop-web", namespace="elsewhere", **own),
            named("shop-web", kind="Service", **own),
        ],
    )
    assert [(item.process, item.deployment, item.version) for item in found] == [
        ("web", "blue-shop-web", "7")
    ]
