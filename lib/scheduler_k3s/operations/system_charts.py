"""Installs and upgrades the system charts, one after the other. Can be repeated: a run goes on where one ended."""

import contextlib
import os
import time
from collections.abc import Collection, Mapping
from typing import Any

from scheduler_k3s import charts, log, settings, system_values
from scheduler_k3s.chart_decisions import UNFINISHED, Decision, Installed, Wishes, decide
from scheduler_k3s.charts import CHARTS, Chart
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import chart_hooks, cluster_release, lock, signals, state, target
from scheduler_k3s.operations.chart_watch import ChartWatch
from scheduler_k3s.tools import helm, private, release
from scheduler_k3s.tools.chart_repository import ChartRepository
from scheduler_k3s.tools.cluster import Cluster, name

Tree = dict[str, Any]

_WAIT = 300.0
_INTERVAL = 1.0
_NAMESPACE_PATIENCE = 120.0
_FAILURE = "Unable to install helm charts"
_INTERRUPTED = "ended by dokku: the command that made this revision was killed"
_OTHER_REPOSITORY = (
    "Another repository is set with: dokku scheduler-k3s:set --global chart-repository-url URL"
)
_NO_CLUSTER = (
    "Make a cluster with: dokku scheduler-k3s:initialize, or name one with: "
    "dokku scheduler-k3s:set --global kubeconfig-path PATH"
)
_FOREIGN = (
    "Somebody else has installed that. Leave the chart out with: "
    "dokku scheduler-k3s:set --global charts-disabled {}"
)


def install(*, names: Collection[str] = (), force: bool = False) -> None:
    """Bring the charts to their pinned versions and present values, as far as the rules of `chart_decisions` ask.

    `names` are installed in any case, with `force` all are. Errors: PluginError, for unknown names and for
    overrides that cannot be applied before anything has changed; the first chart that fails ends the run.
    """
    for each in names:
        charts.check(each)
    private.path("helm")
    cluster = reachable()
    with cluster_release.failing(_FAILURE):
        wishes = _wishes(names, force)
        values = {
            chart.name: _values(chart) for chart in CHARTS if decide(chart, wishes, Installed()).version
        }
        log.headline_quiet("Installing helm charts")
        cancelled = f"{_FAILURE}: cancelled. Repeat the command to go on"
        with signals.cancellable(cancelled), lock.app_lock(properties.GLOBAL) as inherited:
            where = helm.Target(target.kubeconfig_path(), target.kube_context())
            with helm.session(where, host.data(properties.GLOBAL), (inherited,)) as runner:
                run = _Run(runner, cluster, wishes, values)
                for chart in CHARTS:
                    run.process(chart)


def reachable() -> Cluster:
    """The configured cluster, which has answered. Errors: PluginError."""
    try:
        cluster = target.cluster()
    except PluginError as error:
        is_missing = not os.path.lexists(target.kubeconfig_path())
        remedy = f". {_NO_CLUSTER}" if is_missing else ""
        raise PluginError(f"{error.message}{remedy}") from None
    with cluster_release.failing("kubernetes api not available"):
        cluster.get("/version")
    return cluster


def _wishes(names: Collection[str], force: bool) -> Wishes:
    disabled = settings.value(settings.GLOBAL, "charts-disabled").split(",")
    return Wishes(
        names=names,
        force=force,
        ingress_class=settings.value(settings.GLOBAL, "ingress-class"),
        disabled=[each.strip() for each in disabled],
        is_external=target.kubeconfig_path() != target.DEFAULT_KUBECONFIG,
    )


def _values(chart: Chart) -> Tree:
    sinks = [properties.read(properties.GLOBAL, each, "logs") for each in ("vector-sink", "vector-cron-sink")]
    return system_values.values(chart.name, charts.overrides(chart.name), *sinks)


class _Run:
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
            if newest is not None and newest.status in (*release.PENDING, "uninstalling"):
                # our lock is held: whoever left it so is dead, with its helm
                release.set_status(self.cluster, newest, "failed", _INTERRUPTED)
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
        running = self.runner.upgrade_archive(
            chart.name, chart.namespace, archive, values=self.values[chart.name], numbers=numbers, wait=_WAIT
        )
        try:
            while not running.ended(_INTERVAL):
                watch.look()
                watch.show()
                if watch.failures:
                    raise watch.report(f"{version} cannot come up")
            if running.code:
                raise watch.report(_explained(chart, running.output()))
        finally:
            # whatever ends this early: helm must not go on alone, and has to record the revision as failed
            running.abort(0.0)
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
    text = output.removeprefix("Error: ") or "helm failed without a word"
    is_foreign = "exists and cannot be imported" in text
    return f"{text}\n{_FOREIGN.format(chart.name)}" if is_foreign else text
