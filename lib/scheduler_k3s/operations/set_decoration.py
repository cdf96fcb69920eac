"""`scheduler-k3s:annotations:set` and `labels:set`: what the next deploy adds to an app's objects."""

from scheduler_k3s import decorations
from scheduler_k3s.dokku import apps, properties
from scheduler_k3s.errors import PluginError


def set_decoration(prefix: str, scope: str, key: str, value: str, *, process: str, resource: str) -> None:
    """`prefix` is "" for annotations and `decorations.LABELS` for labels; an empty `process` is all of them.

    An empty value removes the key, also one that an older version stored against today's rules.
    """
    if scope != properties.GLOBAL:
        apps.verify(scope)
    if not resource:
        raise PluginError("Missing resource-type")
    if not key:
        raise PluginError("No property specified")
    process = process or properties.GLOBAL
    if process != properties.GLOBAL:
        decorations.check_process(process, prefix)
    name = f"{prefix}{process}.{resource}"
    if value or name not in properties.names(scope):
        decorations.check_resource(resource, prefix)
    if value:
        decorations.check(key, value, prefix, resource)
    properties.change_map(scope, name, key, value)
