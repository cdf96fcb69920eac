"""What most plugins do when an app is cloned, renamed or destroyed."""

import os

from . import host, props
from .kinds import Triggers


def copy_data(plugin: str, old: str, new: str) -> None:
    """Copies the app's data files; deploys under way (`<file>.<pid>`) are not the new app's."""
    directory = host.data(plugin, old)
    if not os.path.isdir(directory):
        return
    host.make_directory(host.data(plugin, new))
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if os.path.isfile(path) and not name.rpartition(".")[2].isdigit() and not name.endswith(".missing"):
            host.write(host.data(plugin, new, name), host.read(path))


def of(plugin: str) -> Triggers:
    """The three triggers, for the properties and the data files of `plugin`."""

    def clone(words: list[str]) -> None:
        props.clone(plugin, words[0], words[1])
        copy_data(plugin, words[0], words[1])

    def rename(words: list[str]) -> None:
        clone(words)
        delete(words)

    def delete(words: list[str]) -> None:
        props.destroy(plugin, words[0])
        host.remove(host.data(plugin, words[0]))

    return {"post-app-clone-setup": clone, "post-app-rename-setup": rename, "post-delete": delete}
