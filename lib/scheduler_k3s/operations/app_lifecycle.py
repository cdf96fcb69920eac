"""What the plugin keeps on the host for an app, while dokku creates, copies, renames and destroys apps."""

import os

from scheduler_k3s.dokku import apps, host, properties

_NOT_CLONED = ("tls-cert-imported",)
"""dokku drops the certificate of a clone."""


def created(app: str) -> None:
    apps.check_name(app)
    properties.make_directory(host.data(app))


def deleted(app: str) -> None:
    """Forget the app. Nothing may be there any more: a destroy that was cut off is run again."""
    apps.check_name(app)
    if os.path.isfile(f"{host.data(app)}/deployed.json"):
        # another scheduler was asked to remove it: the app was renamed, or has changed its scheduler
        from scheduler_k3s.operations import destroy

        destroy.remaining(app)
    properties.destroy(app)
    if os.path.isdir(host.data(app)):
        import shutil

        shutil.rmtree(host.data(app))


def cloned(old: str, new: str) -> None:
    properties.clone(old, new)
    for name in _NOT_CLONED:
        properties.delete(new, name)


def renamed(old: str, new: str) -> None:
    """The old app keeps its properties until dokku deletes it: taking it out of the cluster needs its namespace."""
    properties.clone(old, new)
