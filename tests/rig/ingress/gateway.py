"""The nginx that carries the traffic: its files, its test of a configuration, its graceful reload."""

import os
import signal
import subprocess
from functools import partial
from pathlib import Path

from rig.ingress import configuration
from rig.ingress.configuration import Settings
from rig.ingress.model import Host
from rig.node import health, processes
from rig.node.processes import Part

NGINX = "/usr/sbin/nginx"
_LOGS_IN_SNIPPETS = Path("/var/log/nginx")


class RefusedError(Exception):
    """nginx does not take a configuration; the message has its words."""


def prepare(settings: Settings) -> None:
    """Folders, a certificate for hosts without one, and this rig's own /var/log/nginx.

    Snippets name files below /var/log/nginx. The caller runs in a mount namespace of its own, so the machine's
    folder of that name stays as it is.
    """
    for folder in (settings.folder / "temporary", settings.folder / "ssl", settings.logs):
        folder.mkdir(parents=True, exist_ok=True)
    (settings.folder / "ssl").chmod(0o700)
    subprocess.run(["mount", "--bind", str(settings.logs), str(_LOGS_IN_SNIPPETS)], check=True, timeout=10)
    pem = settings.folder / "default.pem"
    if not pem.exists():
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(pem)]
        subject = ["-subj", "/CN=Kubernetes Ingress Controller Fake Certificate", "-days", "3650"]
        made = subprocess.run(
            ["openssl", "req", "-x509", *key, *subject],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        pem.write_text(pem.read_text() + made.stdout)
        pem.chmod(0o600)


def start(settings: Settings) -> None:
    """Starts nginx with no routes, or with those of the controller before. Raises PartError."""
    path = settings.folder / "nginx.conf"
    if not path.exists():
        path.write_text(configuration.render([], settings))
    healthy = partial(health.answers, f"http://{settings.health}/healthz")
    processes.bring_up(Part("nginx", (NGINX, "-c", str(path), "-g", "daemon off;"), healthy))


def apply(hosts: list[Host], settings: Settings) -> bool:
    """Puts the hosts into service, the requests under way ending as they began; False when nothing changed.

    Raises RefusedError, with the configuration in service as it was.
    """
    text = configuration.render(hosts, settings)
    path = settings.folder / "nginx.conf"
    if path.exists() and path.read_text() == text:
        return False
    candidate = settings.folder / "candidate.conf"
    _write_certificates(hosts, settings)
    candidate.write_text(text)
    _check(candidate)
    candidate.rename(path)
    pid = processes.pid_of("nginx")
    if pid:
        os.kill(pid, signal.SIGHUP)
    return True


def check(hosts: list[Host], settings: Settings) -> None:
    """Raises RefusedError when nginx would not take these hosts."""
    candidate = settings.folder / "candidate.conf"
    _write_certificates(hosts, settings)
    candidate.write_text(configuration.render(hosts, settings))
    _check(candidate)


def _check(path: Path) -> None:
    result = subprocess.run(
        [NGINX, "-t", "-q", "-c", str(path)], capture_output=True, text=True, check=False, timeout=30
    )
    if result.returncode:
        raise RefusedError(result.stderr.strip())


def _write_certificates(hosts: list[Host], settings: Settings) -> None:
    for pem in {host.certificate for host in hosts if host.certificate}:
        path = configuration.certificate_path(pem, settings)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(pem)
