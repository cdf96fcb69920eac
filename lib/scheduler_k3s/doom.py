"""When waiting for a rollout is in vain. Pure: objects and times in, the reason out.

The rules and their patience are in `_PATIENCE`, `_EXITS` and `_REFUSALS`.
"""

from collections.abc import Mapping, Sequence

from scheduler_k3s import diagnosis
from scheduler_k3s.diagnosis import CONFIG_REASONS, PULL_REASONS, Failure, Object, condition, is_ready, state

_EXITS = 3
_REFUSALS = 3
_PATIENCE = {"pull": 60.0, "config": 10.0, "unschedulable": 60.0, "replicas": 10.0}
_FULL = (
    "No node has room for the pod: add one with scheduler-k3s:cluster:add, or lower its reservation with "
    "resource:reserve"
)
_CORDONED = "A node that could take the pod is closed to new pods. Open it with: kubectl uncordon NODE"
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


class Judge:
    """The rules for one process, with what it has seen so far.

    `before` are pods that were there already and may stay, as in a restart of another process: their past does not
    count. With `patient` unset the first sign is enough.
    """

    def __init__(self, process: str, before: Sequence[Object] = (), patient: bool = True) -> None:
        self.process = process
        self.patient = patient
        self._since: dict[tuple[str, ...], float] = {}
        self._hopeless: dict[tuple[str, ...], int] = {}
        self._exits_before = {
            (pod["metadata"]["name"], status["name"]): diagnosis.exits(status)
            for pod in before
            for status in diagnosis.statuses(pod)
        }
        self._refused_before = {pod["metadata"]["name"] for pod in before if diagnosis.is_refused(pod)}

    def failure(
        self, item: Object, pods: Sequence[Object], events: Mapping[str, Sequence[Object]], now: float
    ) -> Failure | None:
        """Why there is no hope for the Deployment `item` and its `pods`; `now` is in seconds."""
        failure = self._replica_failure(item, now) or self._refused(pods)
        for pod in pods:
            if failure:
                break
            if diagnosis.is_leaving(pod) or diagnosis.has_ended(pod) or (not self.patient and is_ready(pod)):
                continue
            known = events.get(pod["metadata"]["name"], ())
            failure = self._unschedulable(pod, known, now)
            for status in diagnosis.statuses(pod):
                failure = failure or self._container(pod, status, known, now)
        return failure

    def _refused(self, pods: Sequence[Object]) -> Failure | None:
        """Nodes that do not take the pods they are given end them at once, and the next meet the same."""
        refused = [pod for pod in pods if diagnosis.is_refused(pod)]
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
        message = str(found.get("message") or "")
        is_cordoned = "were unschedulable" in message and "Insufficient" not in message
        return Failure(self.process, name, "Unschedulable", message, _CORDONED if is_cordoned else _FULL)

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
        exits = diagnosis.exits(status) - self._exits_before.get(key, 0)
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
