"""Which apps there are, and who may use them."""

import os

from . import host, process, triggers
from .log import Fail

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def valid_name(app: str) -> bool:
    return bool(app) and app[0] in LETTERS and all(letter in LETTERS + "._-" for letter in app)


def exists(app: str) -> bool:
    return valid_name(app) and os.path.isdir(host.root(app))


def everything() -> list[str]:
    """Every app of the host, whoever may use it."""
    names = [name for name in os.listdir(host.root()) if name[0] != "." and not name[0].isupper()]
    return sorted(name for name in names if os.path.isdir(host.root(name)))


def allowed(names: list[str]) -> list[str]:
    """Those of the names that the calling user may use."""
    if not names or not triggers.listeners("user-auth-app"):
        return names
    user = os.environ.get("SSH_USER") or os.environ.get("USER", "")
    key = os.environ.get("SSH_NAME") or os.environ.get("NAME") or "default"
    code, answer, _ = process.piped(
        ["plugn", "trigger", "user-auth-app", user, key, *names], show_output=False
    )
    return [] if code else answer.split()


def verify(app: str) -> str:
    """The app's name, when it names an app that the caller may use."""
    if not app:
        raise Fail("Please specify an app to run the command on")
    if not valid_name(app):
        raise Fail(
            "App name must begin with lowercase alphanumeric character, "
            "and may only contain lowercase alphanumerics, dots, and hyphens"
        )
    if not exists(app) or app not in allowed([app]):
        raise Fail(f"App {app} does not exist", 20)
    return app


def verified_all() -> list[str]:
    """Every app of the caller, or the failure-free end of the command if there is none."""
    from . import log

    names = allowed(everything())
    if not names:
        log.warn("You haven't deployed any applications yet")
    return names
