"""What a pod that is not ready is doing, and what to say of one that failed. Pure: objects in, words out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

PULL_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
REFUSALS = frozenset(
    {"SysctlForbidden", "AppArmor", "PodOSNotSupported", "PodFeatureUnsupported", "UnexpectedAdmissionError"}
)
"""Reasons of pods that their node does not take, whatever else runs there."""
_CREDENTIALS = re.compile(
    r"unauthorized|authentication required|authorization failed|access denied|resource is denied|forbidden",
    re.IGNORECASE,
)
_MISSING = re.compile(r"not found|manifest unknown|does not exist", re.IGNORECASE)
_INVALID = re.compile(r"invalid reference format|InvalidImageName", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """Why a process cannot come up. `previous` says whether the log to show is that of the last run.

    `APP` and `TYPE` in `hint` stand for the app and the process type.
    """

    process: str
    pod: str
    reason: str
    message: str
    hint: str = ""
    exit_code: int | None = None
    container: str = ""
    previous: bool = False


def condition(item: Object, type_: str) -> Object:
    """The condition of that type, {} when the object has none."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((found for found in conditions if found.get("type") == type_), {})


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True" and not is_leaving(pod)


def is_leaving(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def has_ended(pod: Object) -> bool:
    """Evicted, or done: it keeps its place in lists, but nothing of it will ever run again."""
    return (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded")


def is_refused(pod: Object) -> bool:
    """Whether the pod's node has ended it without starting it."""
    return has_ended(pod) and pod["status"].get("reason") in REFUSALS


def statuses(pod: Object) -> list[Object]:
    """The status of each container, without init containers that have done their part."""
    status = pod.get("status") or {}
    init = [item for item in status.get("initContainerStatuses") or () if not _is_completed(item)]
    return [*init, *(status.get("containerStatuses") or ())]


def state(status: Object, name: str) -> Object:
    """One of a container's states (`waiting`, `running`, `terminated`), {} when it is in another."""
    return (status.get("state") or {}).get(name) or {}


def last_exit(status: Object) -> Object:
    """How the container ended the last time, {} when it never did."""
    return state(status, "terminated") or (status.get("lastState") or {}).get("terminated") or {}


def exits(status: Object) -> int:
    """How often the container has ended. Kubernetes counts restarts: the last exit is one more until then."""
    restarts = int(status.get("restartCount") or 0)
    is_down = bool(last_exit(status)) and not state(status, "running")
    return restarts + is_down


def troubled(pod: Object) -> Object:
    """The status of the container that keeps the pod from being ready, {} when no node has reported any."""
    found = statuses(pod)
    for is_meant in (_is_failing, lambda status: not status.get("ready")):
        if status := next(filter(is_meant, found), None):
            return status
    return found[0] if found else {}


def phrase(pod: Object, events: Sequence[Object]) -> str:
    """What one pod that is not ready is doing, in a few words."""
    if is_leaving(pod):
        return "stopping"
    if is_refused(pod):
        return f"refused by the node ({pod['status']['reason']})"
    if has_ended(pod):
        return str(pod["status"].get("reason") or pod["status"]["phase"]).lower()
    status = troubled(pod)
    if not status:
        unschedulable = condition(pod, "PodScheduled").get("reason") == "Unschedulable"
        return "waiting for a node with room" if unschedulable else "being placed"
    reason = state(status, "waiting").get("reason")
    image = str(status.get("image") or "the image")
    if reason in PULL_REASONS and not is_pulling(events):
        return f"failing to pull {image}"
    if reason == "CrashLoopBackOff" or state(status, "terminated"):
        return f"restarting after exit code {last_exit(status).get('exitCode', 'unknown')}"
    if state(status, "running"):
        return "started, not ready yet"
    return str(reason) if reason in CONFIG_REASONS else _beginning(events, image)


def is_pulling(events: Sequence[Object]) -> bool:
    """Whether the pod's image is on its way. After a failed try only the events tell: the state stays an error."""
    started = max((event_time(event) for event in events if event.get("reason") == "Pulling"), default="")
    ended = ("Pulled", "Failed", "BackOff")
    return started > max((event_time(event) for event in events if event.get("reason") in ended), default="")


def event_time(event: Object) -> str:
    """When an event was last seen. Texts of this form sort as times do."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def is_hopeless_pull(reason: str, message: str) -> bool:
    """Whether the registry (or the name) says no for good; a network may recover."""
    text = f"{reason} {message}"
    return any(rule.search(text) for rule in (_CREDENTIALS, _MISSING, _INVALID))


def waiting_failure(process: str, pod: str, status: Object) -> Failure:
    """For a container whose image cannot be pulled or that cannot be made."""
    waiting = state(status, "waiting")
    reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    hint = _pull_hint(reason, message) if reason in PULL_REASONS else "The container cannot be made as asked"
    return Failure(process, pod, reason, message, hint, container=status["name"])


def refusal(process: str, pod: Object) -> Failure:
    """For a pod that its node does not take."""
    reason, message = str(pod["status"]["reason"]), str(pod["status"].get("message") or "")
    hint = "The nodes do not take such pods"
    if reason == "SysctlForbidden":
        hint = (
            "Nodes set only sysctls that their kubelet allows (allowed-unsafe-sysctls). Allow it there, or remove "
            "it with: dokku docker-options:remove APP deploy '--sysctl NAME=VALUE'"
        )
    return Failure(process, pod["metadata"]["name"], reason, message, hint)


def crash(process: str, pod: str, status: Object) -> Failure:
    """For a container that has ended."""
    last = last_exit(status)
    count = exits(status)
    reason, code = str(last.get("reason") or "Error"), last.get("exitCode")
    times = "once" if count == 1 else f"{count} times"
    if reason == "OOMKilled":
        text = f"killed for using more memory than its limit, {times}"
        hint = "Give it more with: dokku resource:limit --memory SIZE --process-type TYPE APP"
    elif reason in ("ContainerCannotRun", "StartError"):
        text, hint = str(last.get("message") or ""), "The command cannot be started: is it in the image?"
    else:
        text, hint = f"exited with code {code}, {times}", _exit_hint(code)
    previous = not state(status, "terminated")
    return Failure(process, pod, reason, text, hint, code, status["name"], previous)


def _is_completed(status: Object) -> bool:
    return state(status, "terminated").get("exitCode") == 0


def _is_failing(status: Object) -> bool:
    reason = state(status, "waiting").get("reason")
    failing = reason in PULL_REASONS or reason in CONFIG_REASONS or reason == "CrashLoopBackOff"
    return failing or bool(state(status, "terminated"))


def _beginning(events: Sequence[Object], image: str) -> str:
    """A container that does not exist yet: only the pod's events tell pulling from creating."""
    reasons = [str(event.get("reason")) for event in events]
    if is_pulling(events):
        return f"pulling {image}"
    if "Pulled" not in reasons and {"FailedMount", "FailedAttachVolume"} & set(reasons):
        return "waiting for a volume"
    return "starting"


def _exit_hint(code: object) -> str:
    if code == 127:
        return "Exit code 127: the command was not found in the image"
    if code == 126:
        return "Exit code 126: the command is not executable"
    if code == 0:
        return "The process ended by itself; a process type has to keep running"
    return ""


def _pull_hint(reason: str, message: str) -> str:
    text = f"{reason} {message}"
    if _INVALID.search(text):
        return "The image's name is not one: see dokku registry:report APP"
    if _CREDENTIALS.search(text):
        return "The registry wants credentials: dokku registry:login APP SERVER USERNAME"
    if _MISSING.search(text):
        return "The registry does not have this image: dokku ps:rebuild APP pushes it again"
    return "The nodes cannot reach the registry, or it does not answer them"
