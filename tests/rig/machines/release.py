"""The k3s releases that the tests' server offers: the stand-in, compiled once for each version that it reports."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from rig.machines.model import IMAGES, NEWEST, OLDER

VERSIONS = (NEWEST, OLDER)
_SOURCES = Path(__file__).parent / "k3s"
_INSTALLER = Path(__file__).with_name("installer.sh")


class ReleaseError(Exception):
    """The stand-in cannot be compiled; the message has the compiler's words."""


def program(version: str) -> Path:
    """The k3s program that reports this version. Errors: ReleaseError."""
    target = _folder() / version / "k3s"
    if not target.exists():
        _compile(version, target)
    return target


def digests(version: str) -> str:
    """The release's list, as `sha256sum` writes it."""
    return f"{hashlib.sha256(program(version).read_bytes()).hexdigest()}  k3s\n"


def installer(releases: str) -> str:
    """The installer script that downloads from this URL."""
    return _INSTALLER.read_text().replace("@RELEASES@", releases)


def _folder() -> Path:
    digest = hashlib.sha256()
    for path in sorted(_SOURCES.iterdir()):
        digest.update(path.read_bytes())
    return IMAGES / f"k3s-{digest.hexdigest()[:12]}"


def _compile(version: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        output = Path(directory) / "k3s"
        flags = f"-s -w -X main.version={version}"
        argv = [
            "nice",
            "go",
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            flags,
            "-o",
            str(output),
            ".",
        ]
        environment = {**os.environ, "CGO_ENABLED": "0"}
        done = subprocess.run(
            argv, cwd=_SOURCES, capture_output=True, text=True, check=False, timeout=600, env=environment
        )
        if done.returncode:
            raise ReleaseError(f"go build failed with exit code {done.returncode}:\n{done.stderr}")
        output.rename(target)
