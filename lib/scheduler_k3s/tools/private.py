"""The plugin's own helm, kubectl and Python packages: always these, whatever else the host has."""

import os
import sys

from scheduler_k3s.errors import PluginError

INSTALL = "dokku plugin:install-dependencies"


def prefix() -> str:
    """Root's directory of tools. DOKKU_SCHEDULER_K3S_TOOLS names another one, absolute, for tests."""
    return os.environ.get("DOKKU_SCHEDULER_K3S_TOOLS") or "/opt/dokku-scheduler-k3s"


def location(program: str) -> str:
    return f"{prefix()}/bin/{program}"


def packages() -> str:
    """Where the packages for this interpreter are. Each version of Python has its own."""
    return f"{prefix()}/python/{sys.implementation.cache_tag}"


def path(program: str) -> str:
    """The absolute path of `helm` or `kubectl`. Errors: PluginError when it is not installed."""
    found = location(program)
    if not os.access(found, os.X_OK):
        raise PluginError(f"{found} is missing. Install it, as root, with: {INSTALL}")
    return found


def load_packages() -> None:
    """Make the packages importable, behind everything else. Errors: PluginError when they are missing."""
    found = packages()
    if not os.path.isdir(found):
        raise PluginError(f"{found} is missing. Install the Python packages, as root, with: {INSTALL}")
    if found not in sys.path:
        sys.path.append(found)
