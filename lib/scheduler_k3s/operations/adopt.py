"""Apps that dokku's own scheduler deployed, when this plugin takes over: noted where they are, as a deploy would.

Only with that note can an app be found again whose namespace or scheduler is changed before its next deploy.
"""

import json
import os

from scheduler_k3s.dokku import apps, host, properties
from scheduler_k3s.operations import place, target
from scheduler_k3s.operations.place import Place


def note_deployed() -> None:
    """The cluster is not asked: it may be away, and there may be many apps."""
    for app in apps.all_apps():
        if not apps.is_ours(app) or os.path.isfile(place.note(app)):
            continue
        if properties.read(app, "deployed", plugin="common") == "true":
            write(
                app,
                Place(target.namespace(app), target.kubeconfig_path(), target.kube_context()),
                adopted=True,
            )


def write(app: str, where: Place, adopted: bool = False) -> None:
    """Where the app is, for the time when its properties or the cluster have changed or gone."""
    known: dict[str, object] = {
        "namespace": where.namespace,
        "kubeconfig-path": where.kubeconfig,
        "kube-context": where.context,
        "release": app,
    }
    if adopted:
        known["adopted"] = True
    properties.make_directory(host.data(app))
    properties.replace_file(place.note(app), json.dumps(known, sort_keys=True).encode() + b"\n")


def is_adopted(app: str) -> bool:
    """Whether no deploy of this plugin has been there yet: then nobody knows for sure where the app is."""
    try:
        with open(place.note(app), encoding="utf-8") as file:
            return bool(json.load(file).get("adopted"))
    except (OSError, ValueError, AttributeError):
        return not os.path.isfile(place.note(app))
