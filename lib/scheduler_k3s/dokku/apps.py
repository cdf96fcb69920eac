"""Which apps there are, who may see them, and which scheduler they use."""

import os

from scheduler_k3s.dokku import host, properties, triggers
from scheduler_k3s.errors import PluginError

APP_NOT_FOUND = 20
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_REST = _FIRST | frozenset("._-")


def verify(app: str) -> None:
    """Refuse what is not an app of this user. Errors: PluginError, with exit code 20 for an unknown app."""
    check_name(app)
    if not os.path.isdir(f"{host.root()}/{app}") or not allowed([app]):
        raise PluginError(f"App {app} does not exist", APP_NOT_FOUND)


def check_name(app: str) -> None:
    """Underscores are accepted for apps from before dokku refused them."""
    if not app:
        raise PluginError("Please specify an app to run the command on")
    if app[0] not in _FIRST or not _REST.issuperset(app):
        raise PluginError(
            "App name must begin with lowercase alphanumeric character, "
            "and may only contain lowercase alphanumerics, dots, and hyphens"
        )


def all_apps() -> list[str]:
    """The user's apps, sorted. Directories starting with a dot or a capital (TLS, ENV) are not apps."""
    try:
        with os.scandir(host.root()) as entries:
            found = [e.name for e in entries if e.is_dir() and e.name[0] != "." and not e.name[0].isupper()]
    except FileNotFoundError:
        found = []
    return allowed(sorted(found))


def allowed(apps: list[str]) -> list[str]:
    """Those of `apps` that the plugins answering `user-auth-app` let this user see; all when none answers."""
    if not apps or not triggers.listeners("user-auth-app"):
        return apps
    user = os.environ.get("SSH_USER") or os.environ.get("USER") or ""
    name = os.environ.get("SSH_NAME") or os.environ.get("NAME") or "default"
    answer = triggers.ask("user-auth-app", user, name, *apps).splitlines()
    return [app for app in apps if app in answer]


def scheduler(app: str) -> str:
    return properties.computed(app, "selected", "docker-local", plugin="scheduler")


def is_ours(app: str) -> bool:
    return scheduler(app) == "k3s"
