"""Files that dokku takes out of a pushed tree and keeps until the deploy has succeeded.

While a deploy runs, `<file>.$DOKKU_PID` is the new version and `<file>.$DOKKU_PID.missing` says that the tree
had none; afterwards dokku makes that the plain `<file>`.
"""

import os

from scheduler_k3s.dokku import host


def path(plugin: str, app: str, name: str) -> str | None:
    """Where the version that counts for this process is; None when there is none."""
    plain = f"{host.data(app, plugin)}/{name}"
    if pid := os.environ.get("DOKKU_PID"):
        if os.path.exists(f"{plain}.{pid}.missing"):
            return None
        if os.path.exists(f"{plain}.{pid}"):
            return f"{plain}.{pid}"
    return plain if os.path.exists(plain) else None


def read(plugin: str, app: str, name: str) -> str | None:
    if (found := path(plugin, app, name)) is None:
        return None
    with open(found, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
