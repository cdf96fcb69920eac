"""What the pods of a rollout are doing, and when there is no hope for it. Pure: objects and times in, words out.

A rollout is the new ReplicaSet of one Deployment. It is doomed when waiting longer cannot help: the rules and
their patience are in `_PATIENCE`, `_EXITS` and `_REFUSALS`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler_k3s import diagnosis
from scheduler_k3s.diagnosis import CONFIG_REASONS, PULL_REASONS, Failure, Object, condition, is_ready, state

REVISION = "deployment.kubernetes.io/revision"
VERSION = "app.kubernetes.io/version"
PART_OF = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"
_EXITS = 3
_REFUSALS = 3
_PATIENCE = {"pull": 60.0, "config": 10.0, "unschedulable": 60.0, "replicas": 10.0}
_HOPEFUL_EVENTS = frozenset(
    {
        "TriggeredScaleUp",
        "WaitForFirstConsumer",
        "WaitForPodScheduled",
        "ExternalProvisioning",
        "Provisioning",
        "ProvisioningSucceeded",
    }
)


@dataclass
class Rollout:
    """One process type's way to its new pods. `look` takes what the cluster says now; times are in seconds.

    With `patient` unset the first sign is enough to call it doomed: for a deploy that is over already.
    """

    process: str
    deployment: str
    version: str
    patient: bool = True
    wanted: int = 0
    ready: int = 0
    available: int = 0
    applied: bool = False
    settled: bool = False
    doing: str = ""
    failure: Failure | None = None
    pods: list[Object] = field(default_factory=list)
    _since: dict[tuple[str, ...], float] = field(default_factory=dict)
    _hopeless: dict[tuple[str, ...], int] = field(default_factory=dict)
    _exits_before: dict[tuple[str, ...], int] | None = None
    _refused_before: frozenset[str] = frozenset()
    _item: Object = field(default_factory=dict)

    def look(
        self,
        deployments: Sequence[Object],
        replica_sets: Sequence[Object],
        pods: Sequence[Object],
        events: Mapping[str, Sequence[Object]],
        now: float,
    ) -> None:
        """`events` are those of each pod that is not ready, by the pod's name."""
        self._remember_exits(pods)
        item = next((d for d in deployments if d["metadata"]["name"] == self.deployment), None)
        self.applied = item is not None and _version(item) == self.version and _observed(item)
        if item is None or not self.applied:
            return
        self._item = item
        self.wanted = item["spec"].get("replicas", 1)
        current = _current(item, replica_sets)
        self.pods = sorted(
            (pod for pod in pods if current is not None and _owned(pod, current)),
            key=lambda pod: str(pod["metadata"]["name"]),
        )
        self.ready = sum(1 for pod in self.pods if is_ready(pod))
        status = item.get("status") or {}
        updated = int(status.get("updatedReplicas") or 0)
        self.available = min(updated, int(status.get("availableReplicas") or 0))
        self.settled = (
            current is not None
            and self.available >= self.wanted
            and int(status.get("replicas") or 0) == updated
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

    def suspect(self, events: Mapping[str, Sequence[Object]]) -> Failure | None:
        """What would doom the rollout if it lasted."""
        impatient = Rollout(self.process, self.deployment, self.version, patient=False, pods=self.pods)
        return impatient._doom(self._item, events, 0.0)

    def _remember_exits(self, pods: Sequence[Object]) -> None:
        """Pods that were there before may stay, as in a restart of another process: their past does not count."""
        if self._exits_before is None and self.patient:
            self._exits_before = {
                (pod["metadata"]["name"], status["name"]): diagnosis.exits(status)
                for pod in pods
                for status in diagnosis.statuses(pod)
            }
            self._refused_before = frozenset(
                pod["metadata"]["name"] for pod in pods if diagnosis.is_refused(pod)
            )

    def _doom(self, item: Object, events: Mapping[str, Sequence[Object]], now: float) -> Failure | None:
        failure = self._replica_failure(item, now) or self._refused()
        for pod in self.pods:
            if failure:
                break
            if diagnosis.is_leaving(pod) or diagnosis.has_ended(pod) or (not self.patient and is_ready(pod)):
                continue
            known = events.get(pod["metadata"]["name"], ())
            failure = self._unschedulable(pod, known, now)
            for status in diagnosis.statuses(pod):
                failure = failure or self._container(pod, status, known, now)
        return failure

    def _refused(self) -> Failure | None:
        """Nodes that do not take the pods they are given end them at once, and the next meet the same."""
        refused = [pod for pod in self.pods if diagnosis.is_refused(pod)]
        refused = [pod for pod in refused if pod["metadata"]["name"] not in self._refused_before]
        if len(refused) < (_REFUSALS if self.patient else 1):
            return None
        return diagnosis.refusal(self.process, refused[-1])

    def _replica_failure(self, item: Object, now: float) -> Failure | None:
        found = condition(item, "ReplicaFailure")
        if not self._lasting("replicas", (), found.get("status") == "True", now):
            return None
        return Failure(
            self.process,
            "",
            str(found.get("reason") or "ReplicaFailure"),
            str(found.get("message") or ""),
            "The cluster refuses to create the pods: a quota, a limit range or an admission webhook is in the way",
        )

    def _unschedulable(self, pod: Object, events: Sequence[Object], now: float) -> Failure | None:
        name = pod["metadata"]["name"]
        found = condition(pod, "PodScheduled")
        stuck = found.get("reason") == "Unschedulable" and found.get("status") == "False"
        hopeful = any(event.get("reason") in _HOPEFUL_EVENTS for event in events)
        if not self._lasting("unschedulable", (name,), stuck and not hopeful, now):
            return None
        return Failure(
            self.process,
            name,
            "Unschedulable",
            str(found.get("message") or ""),
            "No node has room for the pod: add one with scheduler-k3s:cluster:add, or lower its reservation "
            "with resource:reserve",
        )

    def _container(self, pod: Object, status: Object, events: Sequence[Object], now: float) -> Failure | None:
        key = (pod["metadata"]["name"], status["name"])
        waiting = state(status, "waiting")
        reason = str(waiting.get("reason") or "")
        pulling = reason in PULL_REASONS
        hopeless = pulling and diagnosis.is_hopeless_pull(reason, str(waiting.get("message") or ""))
        refused = self._twice(key, pulling, hopeless)
        # a slow pull after a failed one still shows the error of the first
        failing = self._lasting("pull", key, pulling, now) and not diagnosis.is_pulling(events)
        unmade = self._lasting("config", key, reason in CONFIG_REASONS, now)
        if refused or failing or unmade:
            return diagnosis.waiting_failure(self.process, key[0], status)
        exits = diagnosis.exits(status) - (self._exits_before or {}).get(key, 0)
        if diagnosis.last_exit(status) and exits >= (_EXITS if self.patient else 1):
            return diagnosis.crash(self.process, key[0], status)
        return None

    def _lasting(self, rule: str, key: tuple[str, ...], present: bool, now: float) -> bool:
        if not present:
            self._since.pop((rule, *key), None)
            return False
        since = self._since.setdefault((rule, *key), now)
        return not self.patient or now - since >= _PATIENCE[rule]

    def _twice(self, key: tuple[str, ...], pulling: bool, hopeless: bool) -> bool:
        """A back-off names no cause on older servers: the count holds as long as the pull fails."""
        count = self._hopeless.get(key, 0) + hopeless if pulling else 0
        self._hopeless[key] = count
        return count >= (2 if self.patient else 1)


def of(app: str, namespace: str, objects: Sequence[Object], patient: bool = True) -> list[Rollout]:
    """The rollouts of a release's objects. A kustomization may have renamed a Deployment, or added one that is
    none of the app's processes: helm alone waits for that."""
    found = []
    for item in objects:
        metadata = item["metadata"]
        if item["kind"] != "Deployment" or (metadata.get("namespace") or namespace) != namespace:
            continue
        labels = metadata.get("labels") or {}
        if labels.get(PART_OF) == app:
            process = str(labels.get(NAME) or metadata["name"])
            found.append(Rollout(process, metadata["name"], _version(item), patient))
    return found


def unfinished(rollout: Rollout, events: Mapping[str, Sequence[Object]]) -> Failure:
    """Why a rollout that is not doomed was not done in time, as far as its pods tell."""
    if failure := rollout.suspect(events):
        return failure
    waiting = [pod for pod in rollout.pods if not is_ready(pod)]
    pod = min(waiting, key=diagnosis.has_ended, default=None)
    if pod is None:
        return Failure(rollout.process, "", "NotReady", rollout.text)
    name = pod["metadata"]["name"]
    status = diagnosis.troubled(pod)
    known = events.get(name, ())
    warnings = [str(event.get("message")) for event in known if event.get("type") == "Warning"]
    message = warnings[-1] if warnings else diagnosis.phrase(pod, known)
    hint = ""
    if "probe failed" in message.lower() or state(status, "running"):
        hint = (
            "The process runs but does not answer its check: does it listen on all interfaces, at $PORT? "
            "More time is given by scheduler-k3s:set APP deploy-timeout"
        )
    return Failure(rollout.process, name, "NotReady", message, hint, container=str(status.get("name") or ""))


def _doing(pods: Sequence[Object], events: Mapping[str, Sequence[Object]]) -> str:
    counts: dict[str, int] = {}
    for pod in pods:
        if not is_ready(pod):
            words = diagnosis.phrase(pod, events.get(pod["metadata"]["name"], ()))
            counts[words] = counts.get(words, 0) + 1
    return ", ".join(f"{count} {words}" for words, count in sorted(counts.items()))


def _current(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """The ReplicaSet of the present template. The controller observes a change before it has made a new one."""
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    return next(
        (
            item
            for item in replica_sets
            if _owned(item, deployment)
            and _version(item) == _version(deployment)
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
