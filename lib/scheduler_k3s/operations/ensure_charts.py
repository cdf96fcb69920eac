"""`scheduler-k3s:ensure-charts`: everything that a cluster needs to serve apps, brought up to date."""

from collections.abc import Collection

from scheduler_k3s import log
from scheduler_k3s.operations import cluster_settings, system_charts, system_upgrader, target


def ensure_charts(names: Collection[str], force: bool) -> None:
    """An external cluster gets the controller that upgrades k3s only when all is forced. Errors: PluginError."""
    names = [name.strip() for name in names]
    system_charts.install(names=names, force=force)
    if force or target.kubeconfig_path() == target.DEFAULT_KUBECONFIG:
        system_upgrader.apply()
    cluster_settings.reconcile()
    log.headline_quiet("Done")
