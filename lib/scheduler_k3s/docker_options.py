"""Options for docker that users set for an app, as far as Kubernetes has the same: the rest is named, not lost."""

import shlex
from collections.abc import Iterator, Sequence

from scheduler_k3s import sysctls
from scheduler_k3s.app import Security
from scheduler_k3s.errors import PluginError

DEFAULT = "_default_"
"""The process type under which dokku keeps what is for all processes."""

_TAKES_VALUE = ("--cap-add", "--cap-drop", "--sysctl")
_BOOLEANS = {"": True, "true": True, "1": True, "false": False, "0": False}

_INSTEAD = {
    "--cpus": "resource:limit --cpu N {app}",
    "--env": "config:set {app} KEY=VALUE",
    "--gpus": "resource:limit --nvidia-gpu N {app}",
    "--label": "scheduler-k3s:labels:set {app} KEY VALUE --resource-type pod",
    "--memory": "resource:limit --memory N {app}",
    "--memory-reservation": "resource:reserve --memory N {app}",
    "--mount": "storage:mount {app} NAME:/PATH",
    "--publish": "ports:add {app} http:HOST:CONTAINER",
    "--shm-size": "scheduler-k3s:set {app} shm-size SIZE",
    "--stop-timeout": "ps:set {app} stop-timeout-seconds SECONDS",
    "--volume": "storage:mount {app} NAME:/PATH",
}
_SHORT = {"-e": "--env", "-l": "--label", "-m": "--memory", "-p": "--publish", "-v": "--volume"}
_LIKE_KUBERNETES = ("always", "unless-stopped", "on-failure")
"""Restart policies of docker that come to what Kubernetes does with the pods of a Deployment."""


def security(lines: Sequence[str]) -> Security:
    """What the options grant and take, one or more options a line, quoted as for a shell.

    Errors: PluginError for a sysctl that is not of the container alone, or an option without its value.
    """
    added: list[str] = []
    dropped: list[str] = []
    settings: dict[str, str] = {}
    privileged = False
    for name, value in _options(lines):
        if name in _TAKES_VALUE and not value:
            raise PluginError(f"Docker option {name} has no value")
        if name == "--cap-add":
            added.append(_capability(value))
        elif name == "--cap-drop":
            dropped.append(_capability(value))
        elif name == "--sysctl":
            key, _, setting = value.partition("=")
            settings[_namespaced(key, setting)] = setting
        elif name == "--privileged":
            privileged = _BOOLEANS.get(value.lower(), privileged)
    return Security(tuple(dict.fromkeys(added)), tuple(dict.fromkeys(dropped)), privileged, settings)


def warnings(app: str, lines: Sequence[str], process_type: str = DEFAULT) -> list[str]:
    """One text for each option that has no effect. Values are left out: some are secrets."""
    told: dict[str, str] = {}
    for name, value in _options(lines):
        if process_type != DEFAULT:
            told[name] = (
                f"Docker option {name} of {app} has no effect for process type {process_type} alone: "
                f"with Kubernetes only options of the whole app count"
            )
        elif not _is_known(name, value):
            instead = _INSTEAD.get(_SHORT.get(name[:2] if name[:2] in _SHORT else name, name))
            hint = f". Use: dokku {instead.format(app=app)}" if instead else ""
            told[name] = f"Docker option {name} of {app} has no effect: Kubernetes knows no such option{hint}"
    return list(told.values())


def _is_known(name: str, value: str) -> bool:
    if name == "--privileged":
        return value.lower() in _BOOLEANS
    if name == "--restart":
        return value.partition(":")[0] in _LIKE_KUBERNETES
    return name in _TAKES_VALUE


def _options(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and value of each; what follows an option up to the next one is its value."""
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        name, values = "", list[str]()
        for word in words:
            if word.startswith("-") and len(word) > 1:
                if name:
                    yield name, " ".join(values)
                name, sign, value = word.partition("=")
                values = [value] if sign else []
            else:
                values.append(word)
        if name or values:
            yield name or values[0], " ".join(values)


def _capability(text: str) -> str:
    """Container runtimes put CAP_ before the names that Kubernetes hands them; docker takes both forms."""
    return text.upper().removeprefix("CAP_")


def _namespaced(name: str, value: str) -> str:
    """Errors: PluginError for a setting of the node's kernel, which one pod cannot have for itself."""
    if not sysctls.is_per_pod(name):
        raise PluginError(
            f"Docker option --sysctl {name}: {name} is not namespaced, so a container cannot set it for itself. "
            "Take it out of the docker options; for whole nodes there is: dokku scheduler-k3s:node-sysctls:set"
        )
    if not value:
        raise PluginError(f"Docker option --sysctl {name} has no value, it takes NAME=VALUE")
    return name
