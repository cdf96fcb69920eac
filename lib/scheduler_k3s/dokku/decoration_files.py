"""Annotations and labels as users have set them, in the property files of the app and of all apps."""

from scheduler_k3s.decorations import LABELS, files, reserved
from scheduler_k3s.dokku import properties


def read(app: str, prefix: str) -> dict[str, dict[str, str]]:
    """The user's annotations (or labels): what is set for the app, over what is set for all apps.

    What the app sets for all its processes also wins over what is set for one process of all apps. Keys that are
    not the user's to set are left out.
    """
    common, own = (_stored(scope, prefix) for scope in (properties.GLOBAL, app))
    result: dict[str, dict[str, str]] = {}
    for key in {**common, **own}:
        resource = key.rpartition(".")[2]
        everywhere = own.get(f"{properties.GLOBAL}.{resource}", {})
        kept = {name: value for name, value in common.get(key, {}).items() if name not in everywhere}
        result[key] = {
            name: value
            for name, value in {**kept, **own.get(key, {})}.items()
            if not reserved(name, prefix, resource)
        }
    return result


def left_out(app: str) -> list[tuple[str, str, str, str]]:
    """Annotations and labels that an older version stored and that are left out: scope, `labels.` or nothing,
    `<process>.<resource>` and key."""
    return [
        (scope, prefix, where, name)
        for scope in (app, properties.GLOBAL)
        for prefix in ("", LABELS)
        for where, values in _stored(scope, prefix).items()
        for name in values
        if reserved(name, prefix, where.rpartition(".")[2])
    ]


def _stored(scope: str, prefix: str) -> dict[str, dict[str, str]]:
    names = properties.names(scope)
    return {key: properties.read_map(scope, name) for name, key in files(names, prefix)}
