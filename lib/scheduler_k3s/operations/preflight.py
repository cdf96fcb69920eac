"""Looks at this host before anything changes, and says all that is wrong at once."""

import os
import shutil
from collections.abc import Callable, Sequence
from typing import NamedTuple

from scheduler_k3s import charts, host_check, k3s_config, log, profiles, settings
from scheduler_k3s.errors import PluginError
from scheduler_k3s.host_check import Facts
from scheduler_k3s.operations import server_address, target
from scheduler_k3s.operations.server_address import Found
from scheduler_k3s.tools import k3s, listeners, root_file
from scheduler_k3s.tools.command import CommandError, run

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Wanted(NamedTuple):
    """What the administrator asked for. `without` is None when nothing was said about charts."""

    ingress_class: str = "nginx"
    server_ip: str = ""
    tainted: bool = False
    kubelet_args: Sequence[str] = ()
    without: Sequence[str] | None = None


def require_root() -> None:
    """dokku checks the names that it knows; `k3s:initialize` is none of them. Errors: PluginError.

    Root's programs and files are then as those of a login: after a plain `su`, PATH and umask may be a user's.
    """
    if os.geteuid() != 0:
        raise PluginError("This command must be run as root")
    os.umask(0o022)
    os.environ["PATH"] = ":".join(
        dict.fromkeys([*os.environ.get("PATH", "").split(":"), *_PATH.split(":")])
    ).strip(":")


def check(wanted: Wanted, is_resumed: bool) -> Found:
    """The address to use. `is_resumed`: an earlier run got somewhere here. Errors: PluginError, a line per problem."""
    host_check.check_ingress_class(wanted.ingress_class)
    if not is_resumed and not k3s.missing(target.kubeconfig_path()):
        raise PluginError("k3s already installed, cannot re-initialize k3s")
    errors: list[str] = []
    address = Found("", "")
    try:
        address = server_address.find(wanted.server_ip)
    except PluginError as error:
        errors.append(error.message)
    errors += _wrong_words(wanted)
    facts = gather(is_resumed)
    errors += host_check.problems(facts)
    if errors:
        raise PluginError("\n".join(errors))
    for text in host_check.warnings(facts, host_check.selected(wanted.ingress_class, disabled(wanted))):
        log.warn(text)
    if not address.interface:
        log.warn(f"Other hosts cannot join a cluster through {address.address}")
    return address


def disabled(wanted: Wanted) -> list[str]:
    """The charts not to be installed: those named now, else those of `charts-disabled`."""
    if wanted.without is not None:
        return list(wanted.without)
    return [
        name.strip() for name in settings.value(settings.GLOBAL, "charts-disabled").split(",") if name.strip()
    ]


def gather(is_resumed: bool) -> Facts:
    """The ports and data of a k3s that an earlier run has started are no obstacle."""
    has_k3s = is_resumed and os.path.isfile(k3s.BINARY)
    config = root_file.read(k3s_config.PATH)
    return Facts(
        machine=os.uname().machine,
        system=_system(),
        has_apt=shutil.which("apt-get") is not None,
        has_systemd=os.path.isdir("/run/systemd/system"),
        has_openrc=os.path.exists("/sbin/openrc-run"),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        cores=len(os.sched_getaffinity(0)),
        has_cgroup_v2=os.path.exists("/sys/fs/cgroup/cgroup.controllers"),
        has_wireguard=_has_wireguard(),
        holders={} if has_k3s else listeners.holders((*host_check.PORTS, *host_check.WEB_PORTS)),
        older="" if is_resumed else _older(),
        has_foreign_config=bool(config) and not config.startswith(k3s_config.MARK.encode()),
        kubeconfig=target.kubeconfig_path(),
        context=target.kube_context(),
        k3s_version=settings.value(settings.GLOBAL, "k3s-version"),
    )


def _wrong_words(wanted: Wanted) -> list[str]:
    """Values of flags and properties that no step could use."""
    names = ("token", "k3s-version", "k3s-release-url", "k3s-installer-url", "deploy-timeout")
    checks: list[Callable[[], object]] = [lambda: profiles.check_kubelet_args(wanted.kubelet_args)]
    checks += [lambda name=name: charts.check(name) for name in wanted.without or ()]  # type: ignore[misc]
    checks += [lambda name=name: settings.checked(settings.GLOBAL, name) for name in names]  # type: ignore[misc]
    errors = []
    for check_one in checks:
        try:
            check_one()
        except PluginError as error:
            errors.append(error.message)
    if settings.value(settings.GLOBAL, "k3s-release-url") and not settings.value(
        settings.GLOBAL, "k3s-version"
    ):
        errors.append(
            "k3s-release-url needs k3s-version. Set it: dokku scheduler-k3s:set --global k3s-version v1.34.4+k3s1"
        )
    return errors


def _older() -> str:
    if os.path.exists(k3s.UNINSTALL_AGENT):
        return "agent"
    if not os.path.exists(k3s.DATASTORE):
        return ""
    return "k3s" if os.path.exists(k3s.UNINSTALL) else "data"


def _system() -> str:
    for line in root_file.read("/etc/os-release").decode("utf-8", "replace").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip("\"'")
    return "This system"


def _has_wireguard() -> bool:
    if os.path.isdir("/sys/module/wireguard"):
        return True
    try:
        run(["modprobe", "--dry-run", "wireguard"])
    except CommandError:
        return False
    return True
