"""Rancher's system-upgrade-controller, which upgrades k3s on the nodes by the plans it is given."""

import tempfile

from scheduler_k3s import log, settings
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import target
from scheduler_k3s.tools import download, private
from scheduler_k3s.tools.command import CommandError, run

VERSION = "0.13.2"
_PUBLIC = (
    "https://github.com/rancher/system-upgrade-controller/releases/download/"
    f"v{VERSION}/system-upgrade-controller.yaml"
)
_MIRRORED = f"system-upgrade-controller-{VERSION}.yaml"
_TIMEOUT = 120.0
_FAILURE = "Unable to apply kubernetes manifest"


def url() -> str:
    """Where the manifest is: beside the charts when they come from a repository of the administrator's."""
    mirror = settings.checked(settings.GLOBAL, "chart-repository-url")
    return f"{mirror.rstrip('/')}/{_MIRRORED}" if mirror else _PUBLIC


def apply() -> None:
    """Errors: PluginError. A mirror that does not have the manifest is only told about: nothing of ours needs it."""
    log.headline_quiet(f"Installing system-upgrader@{VERSION}")
    where = url()
    kubectl = private.path("kubectl")
    try:
        with tempfile.TemporaryDirectory() as directory, download.received(where, directory) as (path, _):
            output = _apply(kubectl, path)
    except download.Refused as error:
        if where == _PUBLIC or error.code != 404:
            raise PluginError(f"{_FAILURE}: {error.message}") from None
        log.warn(
            f"{where} does not exist: put a copy of {_PUBLIC} there. Without it, k3s is not upgraded by plans"
        )
        return
    except CommandError as error:
        words = (error.output or error.message).removeprefix("error: ")
        raise PluginError(f"{_FAILURE}: {words}") from None
    except PluginError as error:
        raise PluginError(f"{_FAILURE}: {error.message}") from None
    for line in output.decode("utf-8", "replace").splitlines():
        log.detail_quiet(line)


def _apply(kubectl: str, path: str) -> bytes:
    argv = [kubectl, f"--kubeconfig={target.kubeconfig_path()}"]
    if context := target.kube_context():
        argv.append(f"--context={context}")
    return run([*argv, "apply", "--filename", path], timeout=_TIMEOUT).stdout
