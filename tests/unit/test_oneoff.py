"""How a one-off process ended, from what its pod says."""

from typing import Any

import pytest
from scheduler_k3s import oneoff
from scheduler_k3s.oneoff import Patience, Result


def pod(state: dict[str, Any] | None = None, phase: str = "Running", **status: str) -> dict[str, Any]:
    statuses = [{"name": "app-run", "state": state}] if state else []
    return {
        "metadata": {"name": "app-run-1"},
        "spec": {"containers": [{"name": "app-run"}]},
        "status": {"phase": phase, "containerStatuses": statuses, **status},
    }


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


@pytest.mark.parametrize("code", [0, 1, 3, 42, 137, 255])
def test_the_commands_own_code_comes_out(code: int) -> None:
    assert oneoff.result(pod(ended(code), "Failed" if code else "Succeeded"), deleted=False) == Result(code)


def test_a_command_that_runs_has_no_result() -> None:
    assert oneoff.result(pod({"running": {}}), deleted=False) is None
    assert oneoff.result(pod(phase="Pending"), deleted=False) is None


def test_eviction_is_said_whatever_the_container_told() -> None:
    evicted = pod(ended(137), "Failed", reason="Evicted", message="low on memory")
    assert oneoff.result(evicted, deleted=False) == Result(137, "Evicted: low on memory")
    assert oneoff.result(pod(None, "Failed", reason="Evicted"), deleted=False) == Result(137, "Evicted")


def test_a_pod_that_was_deleted_counts_as_killed() -> None:
    found = oneoff.result(pod({"running": {}}), deleted=True)
    assert found == Result(137, "pod app-run-1 was deleted")


def test_memory_is_named() -> None:
    found = oneoff.result(pod(ended(137, "OOMKilled"), "Failed"), deleted=False)
    assert found is not None
    assert found.code == 137
    assert "more memory than its limit" in found.reason


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('exec: "x": executable file not found in $PATH', 127),
        ('exec: "/x": stat /x: no such file or directory', 127),
        ('exec: "/etc/passwd": permission denied', 126),
    ],
)
def test_commands_that_cannot_start_give_the_codes_of_a_shell(message: str, code: int) -> None:
    found = oneoff.result(pod(ended(128, "StartError", message), "Failed"), deleted=False)
    assert found == Result(code, f"the command cannot be started: {message}")


def test_waiting_for_an_image_that_nobody_has_ends_soon() -> None:
    patience = Patience()
    waiting = pod({"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}}, "Pending")
    backing_off = pod({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}, "Pending")
    assert patience.failure(waiting, [], 0.0) is None
    assert patience.failure(backing_off, [], 3.0) is None
    failure = patience.failure(waiting, [], 6.0)
    assert failure is not None
    assert failure.message == "manifest unknown"


def test_a_long_pull_is_waited_for() -> None:
    patience = Patience()
    pulling = pod({"waiting": {"reason": "ContainerCreating"}}, "Pending")
    assert patience.failure(pulling, [], 0.0) is None
    assert patience.failure(pulling, [], 10_000.0) is None
