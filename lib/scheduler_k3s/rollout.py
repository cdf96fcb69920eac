"""What the pods of a rollout are doing, and when there is no hope for it. Pure: objects and times in, words out.

A rollout is the new ReplicaSet of one Deployment. It is doomed when waiting longer cannot help: the rules and
their patience are in `_DOOM`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

REVISION = "deployment.kubernetes.io/revision"
VERSION = "app.kubernetes.io/version"
PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_HOPELESS_PULL = re.compile(
    r"not found|manifest unknown|does not exist|unauthorized|authentication required|authorization failed"
    r"|access denied|access to the resource is denied|forbidden|invalid reference format|InvalidImageName",
    re.IGNORECASE,
)
_EXITS = 3
_PATIENCE = {"pull": 60.0, "config": 10.0, "unschedulable": 60.0, "replicas": 10.0}
_HOPEFUL_EVENTS = frozenset(
    {
        "TriggeredScaleUp",
        "WaitForFirstConsumer",
        "ExternalProvisioning",
        "Provisioning",
        "ProvisioningSucceeded",
    }
)


@dataclass(frozen=True)
class Failure:
    """Why a process cannot come up. `previous` says whether the log to show is that of the last run."""

    process: str
    pod: str
    reason: str
    message: str
    hint: str = ""
    exit_code: int | None = None
    container: str = ""
    previous: bool = False


@dataclass
class Rollout:
    """One process type's way to its new pods. `look` takes what the cluster says now; times are in seconds."""

    process: str
    deployment: str
    version: str
    since: dict[tuple[str, str], float] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    wanted: int = 0
    ready: int = 0
    available: int = 0
    applied: bool = False
    settled: bool = False
    doing: str = ""
    failure: Failure | None = None
    pods: list[Object] = field(default_factory=list)

    def look(
        self,
        deployments: Sequence[Object],
        replica_sets: Sequence[Object],
        pods: Sequence[Object],
        events: Mapping[str, Sequence[Object]],
        now: float,
    ) -> None:
        """`events` are those of each pod that is not ready, by the pod's name."""
        item = next((d for d in deployments if d["metadata"]["name"] == self.deployment), None)
        self.applied = item is not None and _version(item) == self.version and _observed(item)
        if item is None or not self.applied:
            return
        self.wanted = item["spec"].get("replicas", 1)
        current = _current(item, replica_sets)
        self.pods = sorted(
            (pod for pod in pods if current is not None and _owned(pod, current)),
            key=lambda pod: str(pod["metadata"]["name"]),
        )
        self.ready = sum(1 for pod in self.pods if is_ready(pod))
        status = item.get("status") or {}
        self.available = min(
            int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
        )
        self.settled = (
            self.available >= self.wanted
            and int(status.get("replicas") or 0) == int(status.get("updatedReplicas") or 0)
            and not status.get("unavailableReplicas")
        )
        self.doing = _doing(self.pods, events)
        self.failure = self._doom(item, events, now)

    @property
    def text(self) -> str:
        """`web: 1 of 2 pods ready, 1 pulling IMAGE`."""
        if not self.applied:
            return f"{self.process}: waiting to be changed"
        if self.wanted == 0:
            return f"{self.process}: stopped, as its scale is 0"
        doing = f", {self.doing}" if self.doing else ""
        if self.ready >= self.wanted and not self.settled:
            doing = (
                ", watching that they stay up" if self.available < self.wanted else ", old pods are leaving"
            )
        return f"{self.process}: {min(self.ready, self.wanted)} of {self.wanted} pods ready{doing}"

    def _doom(self, item: Object, events: Mapping[str, Sequence[Object]], now: float) -> Failure | None:
        if failure := self._replica_failure(item, now):
            return failure
        for pod in self.pods:
            failure = self._unschedulable(pod, events, now)
            for status in _statuses(pod):
                failure = failure or self._container(pod, status, now)
            if failure:
                return failure
        return None

    def _replica_failure(self, item: Object, now: float) -> Failure | None:
        condition = _condition(item, "ReplicaFailure")
        if not self._lasting(("", "replicas"), bool(condition and condition.get("status") == "True"), now):
            return None
        assert condition is not None
        return Failure(
            self.process,
            "",
            str(condition.get("reason") or "ReplicaFailure"),
            str(condition.get("message") or ""),
            "The cluster refuses to create the pods: a quota, a limit range or an admission webhook is in the way",
        )

    def _unschedulable(
        self, pod: Object, events: Mapping[str, Sequence[Object]], now: float
    ) -> Failure | None:
        name = pod["metadata"]["name"]
        condition = _condition(pod, "PodScheduled") or {}
        stuck = condition.get("reason") == "Unschedulable" and condition.get("status") == "False"
        hopeful = any(event.get("reason") in _HOPEFUL_EVENTS for event in events.get(name, ()))
        if not self._lasting((name, "unschedulable"), stuck and not hopeful, now):
            return None
        return Failure(
            self.process,
            name,
            "Unschedulable",
            str(condition.get("message") or ""),
            "No node has room for the pod: add one with scheduler-k3s:cluster:add, or lower its reservation "
            "with resource:reserve",
        )

    def _container(self, pod: Object, status: Object, now: float) -> Failure | None:
        name, container = pod["metadata"]["name"], status["name"]
        state = status.get("state") or {}
        waiting = state.get("waiting") or {}
        reason, message = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
        pulling = reason in PULL_REASONS
        hopeless = pulling and bool(_HOPELESS_PULL.search(f"{reason} {message}"))
        # a back-off names no cause on older servers: the count holds as long as the pull fails
        if not pulling:
            self.seen.pop((name, container), None)
        if self._twice((name, container), hopeless) or self._lasting((name, "pull"), pulling, now):
            return Failure(self.process, name, reason, message, _pull_hint(message), container=container)
        if self._lasting((name, "config"), reason in CONFIG_REASONS, now):
            hint = "The container cannot be made as asked: see the message"
            return Failure(self.process, name, reason, message, hint, container=container)
        last = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
        running = bool(state.get("running"))
        exits = int(status.get("restartCount") or 0) + (0 if running or not last else 1)
        if last and exits >= _EXITS:
            return _crash(self.process, name, container, last, exits, previous=not state.get("terminated"))
        return None

    def _lasting(self, key: tuple[str, str], present: bool, now: float) -> bool:
        if not present:
            self.since.pop(key, None)
            return False
        return now - self.since.setdefault(key, now) >= _PATIENCE[key[1]]

    def _twice(self, key: tuple[str, str], present: bool) -> bool:
        self.seen[key] = self.seen.get(key, 0) + present
        return self.seen[key] >= 2


def is_ready(pod: Object) -> bool:
    condition = _condition(pod, "Ready") or {}
    return condition.get("status") == "True" and not pod["metadata"].get("deletionTimestamp")


def unfinished(rollout: Rollout, events: Mapping[str, Sequence[Object]]) -> Failure:
    """Why a rollout that is not doomed was not done in time, as far as its pods tell."""
    pod = next((pod for pod in rollout.pods if not is_ready(pod)), None)
    if pod is None:
        return Failure(rollout.process, "", "NotReady", rollout.text)
    name = pod["metadata"]["name"]
    status = next(iter(_statuses(pod)), {})
    state = status.get("state") or {}
    last = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    if last:
        exits = int(status.get("restartCount") or 0) or 1
        return _crash(
            rollout.process, name, status["name"], last, exits, previous=not state.get("terminated")
        )
    waiting = state.get("waiting") or {}
    if waiting.get("reason") in PULL_REASONS | CONFIG_REASONS:
        message = str(waiting.get("message") or "")
        return Failure(rollout.process, name, str(waiting["reason"]), message, container=status["name"])
    message = next(
        (
            str(event.get("message"))
            for event in reversed(events.get(name, ()))
            if event.get("type") == "Warning"
        ),
        pod_phrase(pod, events.get(name, ())),
    )
    hint = ""
    if "probe failed" in message.lower() or state.get("running"):
        hint = (
            "The process runs but does not answer its check: does it listen on all interfaces, at $PORT? "
            "More time is given by scheduler-k3s:set APP deploy-timeout"
        )
    return Failure(rollout.process, name, "NotReady", message, hint, container=str(status.get("name") or ""))


def pod_phrase(pod: Object, events: Sequence[Object]) -> str:
    """What one pod that is not ready is doing, in a few words."""
    if pod["metadata"].get("deletionTimestamp"):
        return "stopping"
    status = next(iter(_statuses(pod)), None)
    if status is None:
        condition = _condition(pod, "PodScheduled") or {}
        return (
            "waiting for a node with room" if condition.get("reason") == "Unschedulable" else "being placed"
        )
    state = status.get("state") or {}
    waiting = state.get("waiting") or {}
    last = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    if waiting.get("reason") in PULL_REASONS:
        return f"failing to pull {status.get('image', 'the image')}"
    if waiting.get("reason") == "CrashLoopBackOff" or state.get("terminated"):
        code = (last or {}).get("exitCode")
        return f"restarting after exit code {code}"
    if state.get("running"):
        return "started, not ready yet"
    if waiting.get("reason") in CONFIG_REASONS:
        return str(waiting["reason"])
    return _beginning(events, str(status.get("image") or "the image"))


def _beginning(events: Sequence[Object], image: str) -> str:
    """A container that does not exist yet: only the pod's events tell pulling from creating."""
    reasons = [str(event.get("reason")) for event in events]
    if "Pulled" in reasons:
        return "starting"
    for reason in ("FailedMount", "FailedAttachVolume"):
        if reason in reasons:
            return "waiting for a volume"
    return f"pulling {image}" if "Pulling" in reasons else "starting"


def _doing(pods: Sequence[Object], events: Mapping[str, Sequence[Object]]) -> str:
    counts: dict[str, int] = {}
    for pod in pods:
        if not is_ready(pod):
            phrase = pod_phrase(pod, events.get(pod["metadata"]["name"], ()))
            counts[phrase] = counts.get(phrase, 0) + 1
    return ", ".join(f"{count} {phrase}" for phrase, count in sorted(counts.items()))


def _crash(process: str, pod: str, container: str, last: Object, exits: int, *, previous: bool) -> Failure:
    reason, code = str(last.get("reason") or "Error"), last.get("exitCode")
    times = "once" if exits == 1 else f"{exits} times"
    if reason == "OOMKilled":
        text = f"killed for using more memory than its limit, {times}"
        hint = "Give it more with: dokku resource:limit --memory SIZE --process-type TYPE APP"
    elif reason in ("ContainerCannotRun", "StartError"):
        text, hint = str(last.get("message") or ""), "The command cannot be started: is it in the image?"
    else:
        text, hint = f"exited with code {code}, {times}", _exit_hint(code)
    return Failure(process, pod, reason, text, hint, code, container, previous)


def _exit_hint(code: object) -> str:
    if code == 127:
        return "Exit code 127: the command was not found in the image"
    if code == 126:
        return "Exit code 126: the command is not executable"
    if code == 0:
        return "The process ended by itself; a process type has to keep running"
    return ""


def _pull_hint(message: str) -> str:
    if re.search(r"unauthorized|authentication|authorization|denied|forbidden", message, re.IGNORECASE):
        return "The registry wants credentials: dokku registry:login APP SERVER USERNAME"
    if re.search(r"not found|manifest unknown|does not exist", message, re.IGNORECASE):
        return "The registry does not have this image: dokku ps:rebuild APP pushes it again"
    return "The nodes cannot reach the registry, or it does not answer them"


def _current(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    return next(
        (
            item
            for item in replica_sets
            if _owned(item, deployment)
            and (item["metadata"].get("annotations") or {}).get(REVISION) == revision
        ),
        None,
    )


def _owned(item: Object, owner: Object) -> bool:
    return any(
        ref.get("uid") == owner["metadata"]["uid"] for ref in item["metadata"].get("ownerReferences") or ()
    )


def _version(deployment: Object) -> str:
    annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    return str(annotations.get(VERSION) or "")


def _observed(deployment: Object) -> bool:
    seen = (deployment.get("status") or {}).get("observedGeneration") or 0
    return int(seen) >= int(deployment["metadata"].get("generation") or 0)


def _statuses(pod: Object) -> Sequence[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _condition(item: Object, type_: str) -> Object | None:
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == type_), None)
