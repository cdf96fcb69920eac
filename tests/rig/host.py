"""A stand-in dokku host with the plugin under test in it, for the cluster tests and the demo.

The plugin gets there as on a real host: from a git repository, with its own tools fetched, by digest, from a
server on loopback that stands in for the public ones.
"""

import fcntl
import functools
import gzip
import hashlib
import http.server
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from rig.node import versions
from rig.paths import STATE
from rig.target import KUBECONFIG, REGISTRY

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = STATE / "tools"
_HELM = "helm-v4.1.4-linux-amd64.tar.gz"
_KUBECTL = "kubectl-v1.34.4-linux-amd64"


class Host:
    """A dokku host below `prefix`. `dokku` runs its commands; their output goes to our caller when `show` is set."""

    def __init__(self, prefix: Path, show: bool = False) -> None:
        self.prefix = prefix
        self.show = show
        self.lib = prefix / "lib"
        self.home = prefix / "home"

    def dokku(
        self, *words: str, check: bool = True, stdin: str | None = None, timeout: float = 600.0
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command. Errors: AssertionError with all it printed when it fails and `check` is set."""
        argv = [str(self.prefix / "bin" / "dokku"), *words]
        if self.show:
            print(f"\n$ dokku {' '.join(words)}", flush=True)
        done = subprocess.run(
            argv,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=None if self.show else subprocess.PIPE,
            stderr=None if self.show else subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
            env=_environment(),
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"dokku {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command that the test talks to while it runs."""
        return subprocess.Popen(
            [str(self.prefix / "bin" / "dokku"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
        )

    def use(self, kubeconfig: Path = KUBECONFIG) -> None:
        """The settings that an administrator makes once: cluster, scheduler, registry, proxy."""
        self.dokku("scheduler-k3s:set", "--global", "kubeconfig-path", str(kubeconfig))
        self.dokku("scheduler:set", "--global", "selected", "k3s")
        self.dokku("registry:set", "--global", "server", REGISTRY)
        self.dokku("registry:set", "--global", "push-on-release", "true")
        self.dokku("proxy:set", "--global", "k3s")


@contextmanager
def host() -> Iterator[Host]:
    """A fresh host with the plugin and its tools, gone afterwards."""
    parent = STATE / "hosts"
    parent.mkdir(parents=True, exist_ok=True)
    prefix = Path(tempfile.mkdtemp(prefix="host-", dir=parent))
    prefix.chmod(0o755)
    try:
        yield lay_out(prefix)
    finally:
        shutil.rmtree(prefix, ignore_errors=True)


def lay_out(prefix: Path, show: bool = False) -> Host:
    """Make a host at `prefix`, where user dokku must be able to go, and install the plugin of this checkout."""
    _run([str(CHECKOUT / "tests/rig/dokku/install"), str(prefix)], show)
    return install_plugin(prefix, show)


def install_plugin(prefix: Path, show: bool = False) -> Host:
    """Put the plugin, with its tools, into the host at `prefix`."""
    with _turn(), repository() as url, downloads() as settings:
        environment = {**_environment(), **settings, **_places(prefix)}
        (prefix / "home" / "dokkurc").write_text(f"export DOKKU_SCHEDULER_K3S_TOOLS={TOOLS}\n")
        _run([str(CHECKOUT / "install.sh"), url], show, environment)
    return Host(prefix, show)


@contextmanager
def _turn() -> Iterator[None]:
    """All hosts share the plugin's tools: one is laid out after the other, whoever runs at the same time."""
    with open(STATE / "laying-out", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def repository() -> Iterator[str]:
    """The working tree, changes that are not committed included, as a git repository of its own."""
    listing = ["git", "-C", str(CHECKOUT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    with tempfile.TemporaryDirectory(dir=STATE) as directory:
        os.chmod(directory, 0o755)
        copy = Path(directory) / "dokku-scheduler-k3s"
        for name in filter(None, names):
            source, goal = CHECKOUT / name, copy / name
            if os.path.lexists(source):
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, goal, follow_symlinks=False)
        git = ["git", "-C", str(copy), "-c", "user.name=rig", "-c", "user.email=rig@localhost"]
        for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "working tree"]):
            subprocess.run([*git, *words], check=True)
        yield f"file://{copy}"


@contextmanager
def downloads() -> Iterator[dict[str, str]]:
    """Serve helm and kubectl on loopback as their public servers do; yields the settings that point there."""
    with tempfile.TemporaryDirectory(dir=STATE) as directory:
        files = {_HELM: Path(directory) / _HELM}
        _pack(Path(versions.program("helm")), files[_HELM])
        files[_KUBECTL] = Path(directory) / "release/v1.34.4/bin/linux/amd64/kubectl"
        files[_KUBECTL].parent.mkdir(parents=True)
        shutil.copy(versions.program("kubectl"), files[_KUBECTL])
        digests = Path(directory) / "digests"
        lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in files.items()]
        digests.write_text("".join(lines))
        handler = functools.partial(_Quiet, directory=directory)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield {
                "DOKKU_SCHEDULER_K3S_TOOLS": str(TOOLS),
                "DOKKU_SCHEDULER_K3S_HELM_URL": url,
                "DOKKU_SCHEDULER_K3S_KUBECTL_URL": url,
                "DOKKU_SCHEDULER_K3S_DIGESTS": str(digests),
            }
        finally:
            server.shutdown()
            server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


def _pack(program: Path, archive: Path) -> None:
    entry = tarfile.TarInfo("linux-amd64/helm")
    content = program.read_bytes()
    entry.size, entry.mode = len(content), 0o755
    # without the time in gzip's header the digest stays the same, and what is installed stays current
    with gzip.GzipFile(archive, "wb", 1, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as file:
        file.addfile(entry, BytesIO(content))


def _environment() -> dict[str, str]:
    """Ours without what a shell of ours may have set for dokku."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DOKKU_", "PLUGIN_"))}


def _places(prefix: Path) -> dict[str, str]:
    """Where this host keeps what a real one has at its well-known places."""
    path = f"{prefix}/bin:{os.environ['PATH']}"
    return {"PATH": path, "DOKKU_ROOT": f"{prefix}/home", "DOKKU_LIB_ROOT": f"{prefix}/lib"}


def _run(argv: list[str], show: bool, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{argv[0]}: exit {done.returncode}\n{done.stdout or ''}")
