"""Watches the pods of a system chart beside helm: shows what is waited for, and ends what cannot come up."""

import time

from scheduler_k3s import chart_pods, log
from scheduler_k3s.charts import Chart
from scheduler_k3s.diagnosis import Failure, Object, event_time
from scheduler_k3s.operations.watch import HEARTBEAT, RolloutFailed, Watch
from scheduler_k3s.tools.cluster import ApiError, Cluster, Unreachable, name

_EVENTS_OF = 8


class ChartWatch:
    """`look` asks the cluster once; `show` prints what is new, or every 10 s how long it has been."""

    def __init__(self, cluster: Cluster, chart: Chart) -> None:
        self.cluster = cluster
        self.chart = chart
        self.pods: list[Object] = []
        self.failures: list[Failure] = []
        self._reports = Watch(cluster, chart.name, chart.namespace, ())
        self._doom = chart_pods.Doom(chart, self._list())
        self._said = ""
        self._started = self._said_at = time.monotonic()

    def look(self) -> None:
        """A server that does not answer for a moment is helm's to judge."""
        try:
            self.pods = self._list()
            for pod in chart_pods.waiting(self.pods)[:_EVENTS_OF]:
                self._read_events(pod["metadata"]["name"])
        except (Unreachable, ApiError) as error:
            log.debug(error.message)
            return
        self.failures = self._doom.look(self.pods, time.monotonic())

    def show(self) -> None:
        now = time.monotonic()
        text = chart_pods.summary(self.pods, self._reports.events)
        if text == self._said and now - self._said_at < HEARTBEAT:
            return
        time_passed = f" ({now - self._started:.0f}s)" if text == self._said else ""
        if self._said or chart_pods.waiting(self.pods):
            log.detail_quiet(f"Waiting for {self.chart.name}: {text}{time_passed}")
            self._said, self._said_at = text, now

    def show_rest(self) -> None:
        """helm does not wait for the last pod of a DaemonSet, nor for those that an operator makes."""
        self.look()
        if chart_pods.waiting(self.pods):
            log.detail_quiet(f"Not waited for: {chart_pods.summary(self.pods, self._reports.events)}")

    def report(self, headline: str) -> RolloutFailed:
        """The headline, and for each pod that did not come up why, with its last log lines."""
        self.look()
        failures = self.failures or chart_pods.reasons(self.chart, self.pods, self._reports.events)
        return self._reports.report(failures, headline)

    def _list(self) -> list[Object]:
        pods = self.cluster.list(f"/api/v1/namespaces/{name(self.chart.namespace)}/pods")
        return chart_pods.of_chart(self.chart, pods)

    def _read_events(self, pod: str) -> None:
        path = f"/api/v1/namespaces/{name(self.chart.namespace)}/events"
        found = self.cluster.list(path, fields=f"involvedObject.name={pod}")
        self._reports.events[pod] = sorted(found, key=event_time)
