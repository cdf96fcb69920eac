"""Debian packages, as root."""

from scheduler_k3s.tools.command import CommandError, run

TIMEOUT = 900.0


def install(*packages: str) -> None:
    """Install packages that are missing. The package lists are fetched only when the ones at hand do not do."""
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    try:
        _run(command)
    except CommandError:
        _run(["apt-get", "update"])
        _run(command)


def _run(command: list[str]) -> None:
    run(command, env={"DEBIAN_FRONTEND": "noninteractive"}, timeout=TIMEOUT)
