"""An OpenSSH server on loopback with keys of its own, for what is tested without whole machines.

It logs in any user of this machine by the key pair below `directory`.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PACKAGES = Path(__file__).parent / "packages"
_SSHD = "/usr/sbin/sshd"


class Server(NamedTuple):
    """`identity` is the private key that logs in, `host_key` the server's public one, `process` its listener."""

    port: int
    identity: Path
    host_key: str
    process: "subprocess.Popen[bytes]"

    @property
    def known_hosts(self) -> str:
        """The line that makes the server known."""
        return f"[127.0.0.1]:{self.port} {self.host_key}\n"


@contextmanager
def server(directory: Path) -> Iterator[Server]:
    subprocess.run([PACKAGES, "openssh-server", "sudo"], check=True)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    for name in ("identity", "host"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", directory / name], check=True
        )
    (directory / "identity.pub").chmod(0o644)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": str(directory / "host"),
        "AuthorizedKeysFile": str(directory / "identity.pub"),
        "PermitRootLogin": "prohibit-password",
        "StrictModes": "no",
        "UsePAM": "no",
        "PidFile": "none",
        "MaxStartups": "100",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    with (directory / "sshd.log").open("wb") as log:
        process = subprocess.Popen([_SSHD, "-D", "-e", "-f", "/dev/null", *options], stderr=log)
    try:
        _wait(port, process, directory / "sshd.log")
        key = " ".join((directory / "host.pub").read_text().split()[:2])
        yield Server(port, directory / "identity", key, process)
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"sshd does not answer: {log.read_text()}")
