"""`scheduler-k3s:show-kubeconfig`: print the file that all cluster access goes through."""

import sys

from scheduler_k3s import settings
from scheduler_k3s.errors import PluginError


def show_kubeconfig() -> None:
    """The file as it is, bytes included, and a newline."""
    path = settings.value(settings.GLOBAL, "kubeconfig-path")
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise PluginError(f"Kubeconfig file does not exist: {path}") from None
    except OSError as error:
        raise PluginError(f"Unable to read kubeconfig file: {path}: {error.strerror}") from None
    sys.stdout.buffer.write(content + b"\n")
    sys.stdout.buffer.flush()
