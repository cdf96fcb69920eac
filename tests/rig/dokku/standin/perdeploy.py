"""Files taken from a deploy's source, kept beside the promoted copy until the deploy has succeeded."""

import os

from . import docker, host


def _base(plugin: str, app: str, name: str) -> tuple[str, str]:
    plain = host.data(plugin, app, name)
    return plain, f"{plain}.{os.environ.get('DOKKU_PID', '')}"


def current(plugin: str, app: str, name: str) -> str:
    """The file's text as this deploy, or outside of one the host, sees it; "" if there is none."""
    plain, own = _base(plugin, app, name)
    if os.path.exists(f"{own}.missing"):
        return ""
    return host.read(own if os.path.exists(own) else plain)


def extract(plugin: str, app: str, name: str, source: str, path: str) -> None:
    """Takes `path` from the source tree, or from the workdir of the image that the app was made from."""
    plain, own = _base(plugin, app, name)
    directory = os.path.dirname(plain)
    host.make_directory(directory)
    for leftover in os.listdir(directory):
        if leftover.startswith(f"{name}."):
            host.remove(os.path.join(directory, leftover))
    image = host.read(host.lib("config", "git", app, "source-image"))
    if image:
        found = docker.file_of_image(image, path)
    else:
        found = host.read(os.path.join(source, path)) if os.path.isfile(os.path.join(source, path)) else None
    if found is None:
        host.write(f"{own}.missing", "")
    else:
        host.write(own, found)


def promote(plugin: str, app: str, name: str) -> None:
    plain, own = _base(plugin, app, name)
    if os.path.exists(f"{own}.missing"):
        host.remove(f"{own}.missing")
        host.remove(plain)
    elif os.path.exists(own):
        os.replace(own, plain)
