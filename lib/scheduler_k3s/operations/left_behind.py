"""What stayed in a cluster that was away when its app was destroyed: noted on this host, removed later."""

import json
import os
from typing import NamedTuple

from scheduler_k3s.dokku import host, properties
from scheduler_k3s.operations import place
from scheduler_k3s.operations.place import Place

_DIRECTORY = ".left-behind"
"""Beside the apps' own directories, with a first letter that no app can have."""


class Remains(NamedTuple):
    app: str
    place: Place


def remember(remains: Remains) -> None:
    directory = f"{host.data()}/{_DIRECTORY}"
    properties.make_directory(directory)
    where = remains.place
    known = {
        "app": remains.app,
        "namespace": where.namespace,
        "kubeconfig-path": where.kubeconfig,
        "kube-context": where.context,
    }
    properties.replace_file(_path(remains), json.dumps(known, sort_keys=True).encode() + b"\n")


def forget(remains: Remains) -> None:
    try:
        os.unlink(_path(remains))
    except FileNotFoundError:
        return


def known() -> list[Remains]:
    """Without those that belong to an app of the same name which is at, or is to go to, the same place."""
    directory = f"{host.data()}/{_DIRECTORY}"
    found = []
    for entry in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
        where = place.read(f"{directory}/{entry}")
        if entry.startswith(".") or where is None:
            continue
        remains = Remains(entry.partition(".")[2], where)
        if place.read(place.note(remains.app)) == where:
            forget(remains)
        elif not exists(remains.app) or place.of(remains.app) != where:
            found.append(remains)
    return found


def exists(app: str) -> bool:
    return os.path.isdir(f"{host.root()}/{app}")


def _path(remains: Remains) -> str:
    """A namespace has no dot, so both names can be told apart."""
    return f"{host.data()}/{_DIRECTORY}/{remains.place.namespace}.{remains.app}"
