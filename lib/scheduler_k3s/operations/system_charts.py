"""Installs and upgrades the system charts, one after the other. Can be repeated: a run goes on where one ended."""

import os
from collections.abc import Collection
from typing import Any

from scheduler_k3s import charts, log, settings, system_values
from scheduler_k3s.chart_decisions import Installed, Wishes, decide
from scheduler_k3s.charts import CHARTS, Chart
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import cluster_release, lock, signals, target
from scheduler_k3s.operations.chart_run import ChartRun
from scheduler_k3s.tools import helm, private
from scheduler_k3s.tools.cluster import Cluster

Tree = dict[str, Any]

_FAILURE = "Unable to install helm charts"
_NO_CLUSTER = (
    "Make a cluster with: dokku scheduler-k3s:initialize, or name one with: "
    "dokku scheduler-k3s:set --global kubeconfig-path PATH"
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
        with (
            signals.cancellable("cancelled. Repeat the command to go on"),
            lock.app_lock(properties.GLOBAL) as inherited,
        ):
            where = helm.Target(target.kubeconfig_path(), target.kube_context())
            with helm.session(where, host.data(properties.GLOBAL), (inherited,)) as runner:
                run = ChartRun(runner, cluster, wishes, values)
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
