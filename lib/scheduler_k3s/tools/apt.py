"""Debian packages, as root."""

import os
from collections.abc import Sequence

from scheduler_k3s.tools import streamed
from scheduler_k3s.tools.command import CommandError, run

TIMEOUT = 900.0
_QUESTIONS = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a"}
_PATIENT = ("-o", "DPkg::Lock::Timeout=300")
"""Seconds: fresh hosts upgrade themselves just when somebody starts to work with them."""


def install(*packages: str) -> None:
    """Install packages that are missing. The package lists are fetched only when the ones at hand do not do."""
    command = ["apt-get", *_PATIENT, "install", "--yes", "--no-install-recommends", *packages]
    try:
        _run(command)
    except CommandError:
        _run(["apt-get", *_PATIENT, "update"])
        _run(command)


def are_installed(packages: Sequence[str]) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}\\n", *packages]
    done = run(query, check=False)
    return done.returncode == 0 and set(done.stdout.split()) == {b"installed"}


def update_shown() -> None:
    """Fetch the package lists, for the user to see. Errors: CommandError."""
    _show(["apt-get", *_PATIENT, "update"])


def install_shown(packages: Sequence[str]) -> None:
    """With what Debian recommends beside them. Errors: CommandError."""
    _show(["apt-get", *_PATIENT, "-y", "install", *packages])


def _show(command: list[str]) -> None:
    streamed.run(command, env={**os.environ, **_QUESTIONS}, timeout=TIMEOUT)


def _run(command: list[str]) -> None:
    run(command, env=_QUESTIONS, timeout=TIMEOUT)
