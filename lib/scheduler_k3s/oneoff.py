"""What a pod of a one-off process (run, cron:run) tells. Pure functions over the API's JSON."""

from typing import Any, NamedTuple

from scheduler_k3s import diagnosis, pods
from scheduler_k3s.diagnosis import CONFIG_REASONS, PULL_REASONS, Failure
from scheduler_k3s.pods import Pod

KILLED = 137
_CANNOT_START = ("StartError", "ContainerCannotRun")
_PATIENCE = {"refused": 5.0, "pull": 60.0, "config": 10.0, "unschedulable": 60.0}
_DEADLINE = "DeadlineExceeded"


class Result(NamedTuple):
    """The command's exit code, and why, where it was not the command that ended itself."""

    code: int
    reason: str = ""


def terminated(pod: Pod) -> dict[str, Any]:
    """The end of the app's container, {} before it."""
    return dict((pods.container_status(pod).get("state") or {}).get("terminated") or {})


def result(pod: Pod, deleted: bool) -> Result | None:
    """None while the command can still run."""
    end = terminated(pod)
    status = pod.get("status") or {}
    why = str(status.get("reason") or "")
    message = " ".join(str(status.get("message") or "").split())
    if not end and not deleted and not pods.ended(pod):
        return None
    code = int(end.get("exitCode", KILLED)) if end else KILLED
    if why in ("Evicted", "Preempting", "NodeShutdown", "Terminated", _DEADLINE) or (why and not end):
        return Result(code or KILLED, f"{why}: {message}" if message else why)
    if end.get("reason") == "OOMKilled":
        return Result(code, "it was killed for using more memory than its limit")
    if end.get("reason") in _CANNOT_START:
        return _cannot_start(str(end.get("message") or ""), code)
    if not end or (code in (KILLED, 143) and pod["metadata"].get("deletionTimestamp")):
        return Result(code, f"pod {pods.name(pod)} was deleted{_disruption(pod)}")
    return Result(code)


def _cannot_start(message: str, code: int) -> Result:
    """The codes that shells and docker give in these cases."""
    text = " ".join(message.split())
    if "no such file" in text or "not found" in text:
        code = 127
    elif "permission denied" in text or "is a directory" in text or "exec format error" in text:
        code = 126
    return Result(code, f"the command cannot be started: {text}")


def _disruption(pod: Pod) -> str:
    found = diagnosis.condition(pod, "DisruptionTarget")
    text = str(found.get("message") or found.get("reason") or "")
    return f" ({' '.join(text.split())})" if text else ""


class Patience:
    """When waiting for a pod's start is in vain: each sign has to last for its time, in seconds."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def failure(self, pod: Pod, events: list[Pod], now: float) -> Failure | None:
        waiting = (pods.container_status(pod).get("state") or {}).get("waiting") or {}
        reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
        scheduled = diagnosis.condition(pod, "PodScheduled")
        pulls = reason in PULL_REASONS and not diagnosis.is_pulling(events)
        signs = {
            "refused": reason in PULL_REASONS and diagnosis.is_hopeless_pull(reason, message),
            "pull": pulls,
            "config": reason in CONFIG_REASONS,
            "unschedulable": scheduled.get("reason") == "Unschedulable",
        }
        for sign, present in signs.items():
            # a refused pull is shown in turns with its back-off, which names no cause on older servers
            if not present and not (sign == "refused" and reason == "ImagePullBackOff"):
                self._since.pop(sign, None)
            elif present and now - self._since.setdefault(sign, now) >= _PATIENCE[sign]:
                return self._failure(pod, sign, str(scheduled.get("message") or ""))
        return None

    def _failure(self, pod: Pod, sign: str, message: str) -> Failure:
        if sign == "unschedulable":
            return Failure("run", pods.name(pod), "Unschedulable", message, "No node has room for the pod")
        return diagnosis.waiting_failure("run", pods.name(pod), pods.container_status(pod))
