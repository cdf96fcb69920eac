"""What a deploy said whose release was rolled back: the cluster holds nothing any more that could be asked."""

import contextlib
import os

from scheduler_k3s import log
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError


def keep(app: str, message: str) -> None:
    """Until the next deploy that succeeds. Log lines of the app may be in it: for dokku alone."""
    try:
        properties.make_directory(host.data(app))
        properties.replace_file(_path(app), message.encode("utf-8", "surrogateescape"))
    except PluginError as error:
        log.warn(f"logs:failed will not know of this: {error.message}")


def told(app: str) -> str:
    """Empty when the newest deploy was not rolled back."""
    try:
        with open(_path(app), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def forget(app: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_path(app))


def _path(app: str) -> str:
    return f"{host.data(app)}/rolled-back"
