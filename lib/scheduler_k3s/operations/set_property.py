"""`scheduler-k3s:set`: store a property of an app or the host, or clear it with an empty value."""

from scheduler_k3s import charts, log
from scheduler_k3s.dokku import apps, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.settings import SETTINGS, normalise

GLOBAL = properties.GLOBAL
_CHECKED_BEFORE_THE_APP = ("cert-issuer-kind", "cert-issuer-name", "letsencrypt-server")
_OF_CLUSTER_ISSUERS = ("letsencrypt-email-prod", "letsencrypt-email-stag", "letsencrypt-server")
_OF_NODE_SYSCTLS = ("node-sysctls-image", "node-sysctls-pause-image")


def set_property(scope: str, name: str, value: str) -> None:
    """It counts from the app's next deploy; the cluster's letsencrypt issuers and the pods that
    set sysctls are changed at once.

    Errors: PluginError, with exit code 20 for an unknown app.
    """
    if name.startswith("chart."):
        _set_chart_value(scope, name, value)
        return
    if name in _CHECKED_BEFORE_THE_APP and value:
        normalise(name, value)
    if scope != GLOBAL:
        apps.verify(scope)
    _check_name(scope, name, value)
    if value:
        value = normalise(name, value)
        shown = "*******" if SETTINGS[name].secret else value
        log.headline_quiet(f"Setting {name} to {shown}")
        properties.write(scope, name, value)
    else:
        log.headline_quiet(f"Unsetting {name}")
        properties.delete(scope, name)
    if scope == GLOBAL and name in _OF_CLUSTER_ISSUERS + _OF_NODE_SYSCTLS:
        _bring_to_cluster(name)


def _bring_to_cluster(name: str) -> None:
    from scheduler_k3s import sysctls
    from scheduler_k3s.operations import cluster_issuers, cluster_release, node_sysctls

    with cluster_release.stored():
        if name in _OF_CLUSTER_ISSUERS:
            cluster_issuers.apply()
        elif any(sysctls.resolved().values()):
            node_sysctls.reconcile()


def _check_name(scope: str, name: str, value: str) -> None:
    """A global property that older versions let an app have may still be cleared there."""
    if name not in SETTINGS and scope == GLOBAL:
        raise PluginError("Property cannot be specified globally")
    if not name:
        raise PluginError("No property specified")
    if name not in SETTINGS:
        raise PluginError(
            f"Invalid property specified, valid properties include: {', '.join(sorted(SETTINGS))}"
        )
    if scope != GLOBAL and value and not SETTINGS[name].for_apps:
        command = f"dokku scheduler-k3s:set --global {name} <value>"
        raise PluginError(f"Property {name} can only be set globally: {command}")


def _set_chart_value(scope: str, name: str, value: str) -> None:
    """The spelling from before `charts:set`: chart.<chart>.<key>."""
    log.warn(
        "scheduler-k3s:set chart.* properties are deprecated; "
        "use scheduler-k3s:charts:set <chart>.<property> instead"
    )
    if scope != GLOBAL:
        raise PluginError("Chart properties can only be set globally")
    _, chart, key = [*name.split(".", 2), "", ""][:3]
    if name.count(".") < 2 or (chart and not key):
        raise PluginError(f"Invalid chart property, expected format: chart.$CHART_NAME.$PROPERTY: {name}")
    if not chart:
        raise PluginError("Invalid chart property, missing chart name")
    if chart not in charts.NAMES:
        raise PluginError(f"Invalid chart property, no matching chart found: {name}")
    charts.override(chart, key, value)
