"""The pods of a system chart: what they do while helm waits, and what keeps them from starting. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from scheduler_k3s import diagnosis
from scheduler_k3s.charts import CHARTS, Chart
from scheduler_k3s.diagnosis import CONFIG_REASONS, PULL_REASONS, Failure, Object, condition, state

INSTANCE = "app.kubernetes.io/instance"
_PATIENCE = {"ImagePull": 10.0, "Unschedulable": 60.0}
_BLOCKS = 4
_HINTS = {
    "ImagePull": "Can the nodes reach that registry? Another image is a value of the chart: "
    "dokku scheduler-k3s:charts:set {chart}.KEY VALUE",
    "Unschedulable": "Make room, add a node, or leave charts out: "
    "dokku scheduler-k3s:set --global charts-disabled NAME[,NAME...]",
}


def of_chart(chart: Chart, pods: Sequence[Object]) -> list[Object]:
    """Those of the chart's namespace that count: not those of a neighbour chart, nor Jobs that are done."""
    neighbours = {other.name for other in CHARTS if other.namespace == chart.namespace} - {chart.name}
    return [
        pod
        for pod in pods
        if (pod["metadata"].get("labels") or {}).get(INSTANCE) not in neighbours
        and (pod.get("status") or {}).get("phase") != "Succeeded"
    ]


def waiting(pods: Sequence[Object]) -> list[Object]:
    """Pods that are still to become ready."""
    return [pod for pod in pods if not (diagnosis.is_ready(pod) or diagnosis.is_leaving(pod))]


def summary(pods: Sequence[Object], events: Mapping[str, Sequence[Object]]) -> str:
    """`1 of 3 pods ready, 2 pulling IMAGE`."""
    if not pods:
        return "no pods yet"
    doing = Counter(
        diagnosis.phrase(pod, events.get(_name(pod), ())) for pod in pods if not diagnosis.is_ready(pod)
    )
    staying = [pod for pod in pods if not diagnosis.is_leaving(pod)]
    ready = len(staying) - len(waiting(staying))
    return ", ".join(
        [
            f"{ready} of {len(staying)} pods ready",
            *(f"{count} {what}" for what, count in sorted(doing.items())),
        ]
    )


class Doom:
    """Notices pods that cannot start however long helm waits. Those that were `before` this run do not count."""

    def __init__(self, chart: Chart, before: Sequence[Object]) -> None:
        self.chart = chart
        self.before = {_name(pod) for pod in before}
        self._since: dict[tuple[str, str], float] = {}

    def look(self, pods: Sequence[Object], now: float) -> list[Failure]:
        """`now` is in seconds. The failures that have lasted long enough to be believed."""
        lasting: dict[tuple[str, str], float] = {}
        failures = []
        for pod in waiting(pods):
            known = (_name(pod), "ImagePull") in self._since
            found = _hopeless(self.chart, pod, known) if _name(pod) not in self.before else None
            if found:
                cause, failure = found
                since = self._since.get((_name(pod), cause), now)
                lasting[_name(pod), cause] = since
                if now - since >= _PATIENCE[cause]:
                    failures.append(failure)
        self._since = lasting
        return failures[:_BLOCKS]


def reasons(chart: Chart, pods: Sequence[Object], events: Mapping[str, Sequence[Object]]) -> list[Failure]:
    """Why pods are not ready, as far as they tell, when helm has given up."""
    return [_reason(chart, pod, events.get(_name(pod), ())) for pod in waiting(pods)][:_BLOCKS]


def _hopeless(chart: Chart, pod: Object, known: bool = False) -> tuple[str, Failure] | None:
    """`known` says that the registry has refused the image before: a back-off need not repeat the cause."""
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return "Unschedulable", _unschedulable(chart, pod)
    for status in diagnosis.statuses(pod):
        found = state(status, "waiting")
        reason, message = str(found.get("reason") or ""), str(found.get("message") or "")
        if reason in PULL_REASONS and (known or diagnosis.is_hopeless_pull(reason, message)):
            return "ImagePull", _unpulled(chart, pod, status)
    return None


def _reason(chart: Chart, pod: Object, events: Sequence[Object]) -> Failure:
    if found := _hopeless(chart, pod):
        return found[1]
    status = diagnosis.troubled(pod)
    reason = state(status, "waiting").get("reason") if status else ""
    if reason in PULL_REASONS:
        return _unpulled(chart, pod, status)
    if reason in CONFIG_REASONS:
        return diagnosis.waiting_failure(chart.name, _name(pod), status)
    if status and diagnosis.last_exit(status):
        return replace(diagnosis.crash(chart.name, _name(pod), status), hint="")
    container = str(status.get("name") or "") if status and state(status, "running") else ""
    return Failure(chart.name, _name(pod), "NotReady", diagnosis.phrase(pod, events), container=container)


def _unpulled(chart: Chart, pod: Object, status: Object) -> Failure:
    hint = _HINTS["ImagePull"].format(chart=chart.name)
    return replace(diagnosis.waiting_failure(chart.name, _name(pod), status), hint=hint)


def _unschedulable(chart: Chart, pod: Object) -> Failure:
    message = str(condition(pod, "PodScheduled").get("message") or "")
    return Failure(chart.name, _name(pod), "Unschedulable", message, _HINTS["Unschedulable"])


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
