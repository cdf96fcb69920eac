"""core-post-deploy: what the deploy that succeeded has used is what later ones go by.

dokku fires this for the apps of all schedulers, so next to nothing is imported.
"""

import os

from scheduler_k3s.dokku import apps, host

NAME = "kustomization"
"""The directory, in the app's data, that holds its kustomization."""


def promote(app: str) -> None:
    """A kustomization that the source lost is gone. So is what an app that another scheduler deployed now has left
    in the cluster."""
    apps.check_name(app)
    plain = f"{host.data(app)}/{NAME}"
    own = f"{plain}.{os.environ.get('DOKKU_PID')}"
    if os.path.exists(f"{own}.missing"):
        remove(plain)
        os.unlink(f"{own}.missing")
    elif os.path.isdir(own):
        remove(plain)
        os.rename(own, plain)
    if os.path.isfile(f"{host.data(app)}/deployed.json") and not apps.is_ours(app):
        from scheduler_k3s.operations import destroy

        destroy.remaining(app)


def remove(path: str) -> None:
    """Take away a directory with all in it, or a file; nothing needs to be there."""
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil

        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
