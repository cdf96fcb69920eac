"""The outside programs the plugin brings along: which version, where from, and the digest it must have."""

import os
import stat

from scheduler_k3s.errors import PluginError

HELM = "4.1.4"
KUBECTL = "1.34.4"

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}

DIGESTS = {
    f"helm-v{HELM}-linux-amd64.tar.gz": "70b2c30a19da4db264dfd68c8a3664e05093a361cefd89572ffb36f8abfa3d09",
    f"helm-v{HELM}-linux-arm64.tar.gz": "13d03672be289045d2ff00e4e345d61de1c6f21c1257a45955a30e8ae036d8f1",
    f"kubectl-v{KUBECTL}-linux-amd64": "d50c359d95e0841eaad08ddc27c7be37cba8fdccfba5c8e2ded65e121ff112db",
    f"kubectl-v{KUBECTL}-linux-arm64": "5b982c0644ab1e27780246b9085a5886651b4a7ed86243acbb2bacc1bea01dda",
}
"""sha256 by the name the file has in this table."""


class Download:
    """One program. `path` is below the base URL; `setting` names the variable that holds another base URL.

    `member` is the file inside the archive, "" when the download is the program itself.
    """

    __slots__ = ("base", "file", "member", "path", "program", "setting")

    def __init__(self, program: str, file: str, base: str, path: str, member: str = "") -> None:
        self.program = program
        self.file = file
        self.base = base
        self.path = path
        self.member = member
        self.setting = f"DOKKU_SCHEDULER_K3S_{program.upper()}_URL"


def downloads(machine: str) -> tuple[Download, ...]:
    """What a host needs, by its `uname -m`. Errors: PluginError for a machine without builds."""
    arch = _MACHINES.get(machine)
    if not arch:
        known = " and ".join(_MACHINES)
        raise PluginError(f"No helm and kubectl for a {machine} machine: only {known} are supported")
    helm = f"helm-v{HELM}-linux-{arch}.tar.gz"
    kubectl = f"release/v{KUBECTL}/bin/linux/{arch}/kubectl"
    return (
        Download("helm", helm, "https://get.helm.sh", helm, f"linux-{arch}/helm"),
        Download("kubectl", f"kubectl-v{KUBECTL}-linux-{arch}", "https://dl.k8s.io", kubectl),
    )


def digest(file: str) -> str:
    """The sha256 that a download must have.

    DOKKU_SCHEDULER_K3S_DIGESTS names another table, for tests: lines as `sha256sum` prints them, in a file that
    only root can write. Errors: PluginError.
    """
    path = os.environ.get("DOKKU_SCHEDULER_K3S_DIGESTS")
    table = _read_digests(path) if path else DIGESTS
    if file not in table:
        raise PluginError(f"No sha256 digest of {file} is known, so it must not be installed")
    return table[file]


def _read_digests(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="ascii") as file:
            info = os.fstat(file.fileno())
            lines = file.read().splitlines()
    except (OSError, ValueError) as error:
        raise PluginError(f"Unable to read the digests in {path}: {error}") from None
    if os.geteuid() != 0 or info.st_uid != 0 or info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PluginError(f"The digests in {path} are not trusted: only root may write the file, and use it")
    return {
        name.lstrip("*"): digest
        for digest, _, name in (line.replace("  ", " ").partition(" ") for line in lines)
    }
