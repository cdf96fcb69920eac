"""Debian packages of the node, installed without starting or enabling what they bring."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import IO

PACKAGES = (
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "curl",
    "docker-registry",
    "docker.io",
    "iproute2",
    "iptables",
    "nginx-light",
    "openssl",
    "procps",
    "runc",
    "util-linux",
)
_SERVICES = ("containerd", "docker", "docker-registry", "nginx")
_POLICY = Path("/usr/sbin/policy-rc.d")


class PackageError(Exception):
    """apt refused; the message has its last lines."""


def missing() -> list[str]:
    """The packages that are not installed yet."""
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *PACKAGES]
    answer = subprocess.run(query, capture_output=True, text=True, check=False, timeout=60).stdout
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in PACKAGES if name not in installed]


def install(log: Path) -> list[str]:
    """Installs what is missing and returns its names; apt's output goes to `log`.

    Raises PackageError when apt refuses.
    """
    names = missing()
    if not names:
        return names
    enabled = _enabled_services()
    try:
        with log.open("w") as output:
            _apt(["update"], output)
            _without_starting_services(["install", "--yes", "--no-install-recommends", *names], output)
    except subprocess.CalledProcessError as error:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise PackageError(
            f"apt-get could not install {' '.join(names)}; {log} ends with:\n{tail}"
        ) from error
    for service in sorted(_enabled_services() - enabled):
        subprocess.run(["systemctl", "disable", service], capture_output=True, check=False, timeout=60)
    return names


def _apt(arguments: list[str], output: IO[str]) -> None:
    subprocess.run(
        ["apt-get", "--quiet", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        check=True,
        timeout=1200,
    )


def _without_starting_services(arguments: list[str], output: IO[str]) -> None:
    """Runs apt while Debian's policy-rc.d says no to every start of a service (exit code 101)."""
    if _POLICY.exists():
        _apt(arguments, output)
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        _apt(arguments, output)
    finally:
        _POLICY.unlink(missing_ok=True)


def _enabled_services() -> set[str]:
    if not shutil.which("systemctl"):
        return set()
    query = ["systemctl", "is-enabled"]
    return {
        service
        for service in _SERVICES
        if subprocess.run([*query, service], capture_output=True, check=False, timeout=60).returncode == 0
    }
