"""`scheduler-k3s:autoscaling-auth:set`: of an app for its next deploy, of all apps at once."""

from scheduler_k3s import log, trigger_auth
from scheduler_k3s.dokku import apps, properties
from scheduler_k3s.errors import PluginError


def set_trigger_auth(scope: str, trigger: str, pairs: dict[str, str]) -> None:
    """Without pairs everything that is stored for the trigger is removed."""
    if scope != properties.GLOBAL:
        apps.verify(scope)
    if not trigger:
        raise PluginError("Missing trigger type argument")
    if pairs:
        trigger_auth.check(trigger, pairs)
        trigger_auth.store(scope, trigger, pairs)
        log.step("Trigger authentication settings saved")
        if scope != properties.GLOBAL:
            log.detail("Resources will be created or updated on next deploy")
    else:
        trigger_auth.remove(scope, trigger)
    if scope == properties.GLOBAL:
        from scheduler_k3s.operations import cluster_release, cluster_trigger_auth

        with cluster_release.stored():
            cluster_trigger_auth.apply(trigger)
