"""What the pods of a rollout are doing. Pure: objects and times in, words out.

A rollout is the new ReplicaSet of one Deployment; when there is no hope for it, `doom` tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler_k3s import diagnosis
from scheduler_k3s.diagnosis import Failure, Object, is_ready, state
from scheduler_k3s.doom import Judge

REVISION = "deployment.kubernetes.io/revision"
VERSION = "app.kubernetes.io/version"
PART_OF = "app.kubernetes.io/part-of"
NAME = "app.kubernetes.io/name"


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
    _item: Object = field(default_factory=dict)
    _judge: Judge | None = None

    def look(
        self,
        deployments: Sequence[Object],
        replica_sets: Sequence[Object],
        pods: Sequence[Object],
        events: Mapping[str, Sequence[Object]],
        now: float,
    ) -> None:
        """`events` are those of each pod that is not ready, by the pod's name."""
        if self._judge is None:
            self._judge = Judge(self.process, pods if self.patient else (), self.patient)
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
        self.failure = self._judge.failure(item, self.pods, events, now)

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
        return Judge(self.process, patient=False).failure(self._item, self.pods, events, 0.0)


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
