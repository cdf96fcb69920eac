"""What the environment of a pod can hold. Checked before anything changes: a pod would not start, or start without."""

from collections.abc import Mapping

from scheduler_k3s import values
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

_MAX_ENTRY = 131_071
"""Linux' limit for one `KEY=value`, in bytes, without the end mark."""
_MAX_KEY = 253
_MAX_CONFIG = 1024 * 1024


def check(app: str, config: Mapping[str, Secret]) -> None:
    """Refuse what a pod's environment cannot hold. Names and sizes are told, values never."""
    bad = [key for key in sorted(config) if not _is_variable(key)]
    if bad:
        raise PluginError(
            f"Config of {app} has names that a pod's environment cannot take: {', '.join(map(repr, bad))}. "
            "Names consist of letters, digits, '_', '-' and '.', begin with no digit and not with '..', "
            f"and have at most {_MAX_KEY} characters\n"
            f"Remove them with: dokku config:unset {app} NAME"
        )
    sizes = {key: _size(app, key, value) for key, value in sorted(config.items())}
    total = sum(len(value.reveal().encode()) for value in config.values())
    if total > _MAX_CONFIG:
        largest = sorted(sizes, key=lambda key: -sizes[key])[:3]
        raise PluginError(
            f"Config of {app} is too large: {total} bytes, Kubernetes keeps at most {_MAX_CONFIG} "
            f"in one Secret. Its largest values: {', '.join(f'{key} ({sizes[key]} bytes)' for key in largest)}. "
            "Put them into a file of the image or a volume"
        )


def _size(app: str, key: str, value: Secret) -> int:
    """The bytes that a variable takes in a process's environment."""
    try:
        size = len(f"{key}={value.reveal()}".encode())
    except UnicodeEncodeError:
        raise PluginError(f"Config value {key} of {app} is not UTF-8, which Kubernetes requires") from None
    if "\0" in value.reveal():
        raise PluginError(f"Config value {key} of {app} holds a NUL byte, which no process can be given")
    if size > _MAX_ENTRY:
        raise PluginError(
            f"Config value {key} of {app} is too large: {size} bytes with its name, "
            f"Linux gives a process at most {_MAX_ENTRY}. Put it into a file of the image or a volume"
        )
    return size


def _is_variable(name: str) -> bool:
    letters = name.replace("_", "a").replace("-", "a").replace(".", "a")
    begins = name[:1] not in values.DIGITS and not name.startswith("..") and name != "."
    return begins and letters.isascii() and letters.isalnum() and len(name) <= _MAX_KEY
