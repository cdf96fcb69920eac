"""Labels and annotations: what every object carries, and what users added for its kind."""

from collections.abc import Mapping
from typing import Any

from scheduler_k3s.app import App

ALL_PROCESSES = "--global"
MANAGED = {"dokku.com/managed": "true"}

Object = dict[str, Any]


def triplet(app: str, name: str) -> dict[str, str]:
    """The three labels by which an app's objects are found. `name` is the process type or the part's name."""
    return {
        "app.kubernetes.io/instance": f"{app}-{name}",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": app,
    }


def metadata(
    app: App,
    resource: str,
    name: str,
    *,
    process: str = ALL_PROCESSES,
    labels: Mapping[str, str],
    annotations: Mapping[str, str] | None = None,
) -> Object:
    """The metadata of one object of the app, user labels and annotations of its resource type included."""
    return {
        "name": name,
        "namespace": app.namespace,
        "labels": {**labels, **added(app.labels, resource, process)},
        "annotations": {**MANAGED, **(annotations or {}), **added(app.annotations, resource, process)},
    }


def added(maps: Mapping[str, Mapping[str, str]], resource: str, process: str) -> dict[str, str]:
    """The user's map for a resource type: that of all processes, overlaid by that of this process."""
    everywhere = maps.get(f"{ALL_PROCESSES}.{resource}", {})
    own = maps.get(f"{process}.{resource}", {}) if process != ALL_PROCESSES else {}
    return {**everywhere, **own}
