"""The kustomization of an app: taken from its source before the build, used by the deploy, kept when that is done."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence

from scheduler_k3s import log, settings
from scheduler_k3s.app import App
from scheduler_k3s.dokku import extracted, host, properties, source
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.metadata import MANAGED
from scheduler_k3s.manifests.objects import build
from scheduler_k3s.operations.promote import NAME, remove
from scheduler_k3s.tools import kustomize, resources
from scheduler_k3s.tools.cluster import Object

_PROPERTY = "kustomize-root-path"
_WORK = "kustomize-"


def extract(app: str, tree: str) -> None:
    """Take the directory out of what is to be deployed, or note that it has none.

    Errors: PluginError when it cannot be taken or holds no kustomization: the image is not built yet.
    """
    plain = _plain(app)
    properties.make_directory(os.path.dirname(plain))
    for leftover in _versions(app):
        remove(leftover)
    own = f"{plain}.{_pid()}"
    path = settings.checked(app, _PROPERTY)
    try:
        found = _take(app, tree, path, f"{own}.new")
        if found and not kustomize.has_kustomization(f"{own}.new"):
            raise PluginError(f"{path} of {app}'s source has none of {_or(kustomize.FILES)}: add one of them")
    except BaseException:
        remove(f"{own}.new")
        raise
    if found:
        os.rename(f"{own}.new", own)
        return
    properties.replace_file(f"{own}.missing", b"")
    if properties.read(app, _PROPERTY):
        log.warn(
            f"{_PROPERTY} of {app} is {path}, but its source has no such directory: nothing is customized"
        )


def apply(app: str, objects: Sequence[Object]) -> list[Object]:
    """The app's objects as its kustomization changes them; without one, as they are.

    Errors: PluginError with kustomize's words.
    """
    parent = host.data(app)
    _remove_abandoned(parent)
    directory = extracted.path(properties.PLUGIN, app, NAME)
    if directory is None:
        return list(objects)
    with tempfile.TemporaryDirectory(prefix=f"{_WORK}{os.getpid()}-", dir=parent) as work:
        copy = f"{work}/{NAME}"
        shutil.copytree(directory, copy, symlinks=True)
        if not kustomize.has_kustomization(copy):
            raise PluginError(
                f"The kustomization of {app} has none of {_or(kustomize.FILES)}: add one of them"
            )
        try:
            result = kustomize.build(copy, objects)
        except PluginError as error:
            raise PluginError(f"Error building the kustomization of {app}: {error.message}") from None
    return [_marked(item) for item in result]


def _remove_abandoned(parent: str) -> None:
    """What killed processes have left. A deploy and a preview may be at work at the same time."""
    for entry in os.listdir(parent) if os.path.isdir(parent) else ():
        pid = entry.removeprefix(_WORK).partition("-")[0]
        if entry.startswith(_WORK) and not os.path.exists(f"/proc/{pid}"):
            remove(f"{parent}/{entry}")


def losses(model: App, after: Sequence[Object]) -> list[str]:
    """A kustomization that does not name the app's objects as a resource takes the app out of the cluster."""
    app, before = model.name, build(model)
    own, kept = ({resources.key(item) for item in items} for items in (before, after))
    renamed = Counter(_part(item) for item in after if resources.key(item) not in own)
    lost = []
    for item in before:
        if resources.key(item) in kept:
            continue
        if renamed[_part(item)]:
            renamed[_part(item)] -= 1
        else:
            lost.append(f"{item['kind']} {item['metadata']['name']}")
    if lost and len(lost) == len(before):
        return [
            f"The kustomization of {app} leaves none of the app's own objects: they go away. "
            f"To keep them, list {kustomize.RENDERED} under resources"
        ]
    return [f"The kustomization of {app} takes away: {', '.join(lost)}"] if lost else []


def _part(item: Object) -> tuple[str, str]:
    """What an object is for, whatever its name."""
    return item["kind"], (item["metadata"].get("labels") or {}).get("app.kubernetes.io/instance", "")


def _marked(item: Object) -> Object:
    """With dokku's mark, by which a release is known as ours when the app is destroyed."""
    metadata = item["metadata"]
    return {
        **item,
        "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **MANAGED}},
    }


def _take(app: str, tree: str, path: str, target: str) -> bool:
    if image := source.image(app):
        return source.copy_from_image(image, path, target)
    return source.copy_tree(tree, path, target)


def _plain(app: str) -> str:
    return f"{host.data(app)}/{NAME}"


def _pid() -> str:
    if pid := os.environ.get("DOKKU_PID"):
        return pid
    raise PluginError("DOKKU_PID is not set: dokku sets it for every command")


def _versions(app: str) -> list[str]:
    """What deploys that did not succeed have left."""
    directory = host.data(app)
    return [f"{directory}/{entry}" for entry in os.listdir(directory) if entry.startswith(f"{NAME}.")]


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
