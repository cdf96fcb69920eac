"""One run over the system charts: what each is found at, what is decided, and its way to the version wanted."""

import contextlib
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from scheduler_k3s import charts, log, settings, system_values
from scheduler_k3s.chart_decisions import UNFINISHED, Decision, Installed, Wishes, decide
from scheduler_k3s.charts import Chart
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import chart_hooks, cluster_release, state
from scheduler_k3s.operations.chart_watch import ChartWatch
from scheduler_k3s.tools import helm, release
from scheduler_k3s.tools.chart_repository import ChartRepository
from scheduler_k3s.tools.cluster import Cluster, name

Tree = dict[str, Any]

_WAIT = 300.0
_INTERVAL = 1.0
_NAMESPACE_PATIENCE = 120.0
_OTHER_REPOSITORY = (
    "Another repository is set with: dokku scheduler-k3s:set --global chart-repository-url URL"
)
_FOREIGN = (
    "Somebody else has installed that. Leave the chart out with: "
    "dokku scheduler-k3s:set --global charts-disabled {}"
)


class ChartRun:
    """The charts on their way. Errors: PluginError with helm's words and what keeps pods from starting."""

    def __init__(
        self, runner: helm.Helm, cluster: Cluster, wishes: Wishes, values: Mapping[str, Tree]
    ) -> None:
        self.runner = runner
        self.cluster = cluster
        self.wishes = wishes
        self.values = values
        self._repositories: dict[str, ChartRepository] = {}

    def process(self, chart: Chart) -> None:
        log.step(f"Processing chart {chart.name}@{chart.version}")
        with cluster_release.failing(f"Error installing chart {chart.name}"):
            newest, installed = _installed(self.cluster, chart)
            decision = decide(chart, self.wishes, installed)
            _say(decision)
            if not decision.version:
                return
            release.end_abandoned(self.cluster, newest)
            _ensure_namespace(self.cluster, chart.namespace)
            self._install(chart, installed.version, decision.version)

    def _install(self, chart: Chart, installed: str, goal: str) -> None:
        """To the version wanted, past those that need something done before."""
        reached = ""
        for hook in chart_hooks.due(chart.name, installed, goal):
            log.detail(f"Running pre-upgrade hook {chart.name}@{hook.version}")
            hook.before(self.cluster)
            log.detail(f"Upgrading {chart.name} to intermediate version {hook.version}")
            self._upgrade(chart, hook.version)
            reached = hook.version
        if reached != goal:
            self._upgrade(chart, goal)

    def _upgrade(self, chart: Chart, version: str) -> None:
        url = settings.checked(settings.GLOBAL, "chart-repository-url") or chart.repository
        repository = self._repositories.setdefault(url, ChartRepository(url, self.runner.directory))
        log.detail_quiet(f"Fetching {chart.name} {version} from {url}")
        with contextlib.ExitStack() as stack:
            try:
                archive = stack.enter_context(repository.chart(chart.name, version))
            except PluginError as error:
                raise PluginError(f"{error.message}. {_OTHER_REPOSITORY}") from None
            self._upgrade_from(archive, chart, version)
        log.detail_quiet(f"Installed {chart.name} {version}")

    def _upgrade_from(self, archive: str, chart: Chart, version: str) -> None:
        watch = ChartWatch(self.cluster.copy(), chart)
        numbers = system_values.numbers(charts.overrides(chart.name))
        start = partial(
            self.runner.upgrade_archive,
            chart.name,
            chart.namespace,
            archive,
            values=self.values[chart.name],
            numbers=numbers,
            wait=_WAIT,
        )
        with helm.started(start) as running:
            while not running.ended(_INTERVAL):
                watch.look()
                watch.show()
                if watch.failures:
                    raise watch.report(f"{version} cannot come up")
            if running.code:
                raise watch.report(_explained(chart, running.output()))
        watch.show_rest()
        for line in running.output().splitlines():
            if line.startswith(("Warning:", "WARNING:")):
                log.exclaim(line)


def _installed(cluster: Cluster, chart: Chart) -> tuple[release.Release | None, Installed]:
    try:
        newest = release.newest(cluster, chart.namespace, chart.name)
    except PluginError as error:
        return None, Installed(problem=error.message)
    if newest is None:
        return None, Installed()
    # a version that an unfinished first install has not even named
    version = newest.chart_version or ("" if newest.status in UNFINISHED else "unknown")
    return newest, Installed(version, newest.status)


def _say(decision: Decision) -> None:
    (log.warn if decision.is_warning else log.detail)(decision.line)
    if decision.note:
        log.detail(decision.note)


def _ensure_namespace(cluster: Cluster, namespace: str) -> None:
    """Make it with dokku's mark. One that is being deleted has to be gone first: nothing can be made in it."""
    started = said = time.monotonic()
    path = f"/api/v1/namespaces/{name(namespace)}"
    while (found := cluster.find(path)) and found["metadata"].get("deletionTimestamp"):
        now = time.monotonic()
        if now - started > _NAMESPACE_PATIENCE:
            raise PluginError(
                f"Namespace {namespace} is being deleted, and was not gone after {now - started:.0f}s"
            )
        if now - said >= 10:
            said = now
            log.detail(f"Waiting for the deleted namespace {namespace} to be gone ({now - started:.0f}s)")
        time.sleep(_INTERVAL)
    if not found:
        state.ensure_namespace(cluster, namespace)


def _explained(chart: Chart, output: str) -> str:
    text = f"\n{output}".partition("\nError: ")[2] or output or "helm failed without a word"
    if "deadline exceeded" in text or "timed out" in text:
        text = f"not all of it was ready within {_WAIT:g}s ({text})"
    is_foreign = "exists and cannot be imported" in text
    return f"{text}\n{_FOREIGN.format(chart.name)}" if is_foreign else text
