"""helm, the release manager: one way of installing, upgrading and removing releases."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scheduler_k3s import log
from scheduler_k3s.child import Child
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import private
from scheduler_k3s.tools.command import CommandError, environment, run
from scheduler_k3s.unbroken import unbroken

HISTORY = 10
_GRACE = 15.0
_PREFIX = "helm-"
_ROOM = 16 * 1024 * 1024
"""Bytes for the charts of a deploy and helm's caches, so that a full disk is told before anything changes."""


class Target(NamedTuple):
    """The kubeconfig and context that helm is to use; an empty context is the kubeconfig's current one."""

    kubeconfig: str
    context: str


class Helm:
    """helm for one cluster, with caches and configuration of its own in a private directory.

    `inherited` are descriptors that helm keeps open: a lock on one of them lasts as long as helm does, also
    when we are killed.
    """

    def __init__(self, target: Target, directory: str, inherited: Sequence[int] = ()) -> None:
        self.target = target
        self.directory = directory
        self.inherited = tuple(inherited)

    def upgrade(
        self,
        release: str,
        namespace: str,
        chart: Mapping[str, str],
        *,
        wait: float = 0.0,
        rollback: bool = False,
    ) -> "Upgrade":
        """Start to install or upgrade a release from the files of a chart.

        `wait` is how many seconds helm waits for the pods, 0 for not at all. `rollback` must only be asked for
        when there is a deployed revision: helm would uninstall a failed first install.
        """
        path = self._write(release, chart)
        argv = ["upgrade", "--install", release, path, "--namespace", namespace]
        argv += ["--server-side=false", "--cleanup-on-fail", f"--history-max={HISTORY}"]
        # the API server has checked the objects in a dry run before; helm's own check downloads its whole schema
        argv += ["--disable-openapi-validation"]
        if wait:
            argv += ["--wait=legacy", f"--timeout={wait:.3f}s"]
        if rollback:
            argv += ["--rollback-on-failure"]
        return Upgrade(self._argv(argv), self._environment(), self)

    def upgrade_archive(
        self,
        release: str,
        namespace: str,
        archive: str,
        *,
        values: Mapping[str, object],
        numbers: Mapping[str, int],
        wait: float,
    ) -> "Upgrade":
        """Start to install or upgrade a release from a chart's archive, as `upgrade` does.

        `values` may hold secrets: helm reads them from a private file. It takes the numbers in there for floats,
        and large ones come out as `1e+06`: `numbers`, by their keys as for `--set`, stay whole.
        """
        path = f"{tempfile.mkdtemp(prefix='values-', dir=self.directory)}/values.json"
        self._write_file(path, json.dumps(values))
        argv = ["upgrade", "--install", release, archive, "--namespace", namespace, "--create-namespace"]
        argv += ["--values", path, *(f"--set={key}={number}" for key, number in numbers.items())]
        argv += ["--server-side=false", "--cleanup-on-fail", f"--history-max={HISTORY}"]
        argv += ["--wait=legacy", f"--timeout={wait:.3f}s"]
        return Upgrade(self._argv(argv), self._environment(), self)

    def rollback(self, release: str, namespace: str, wait: float) -> "Upgrade":
        """Start to go back to the revision before the newest, waiting `wait` seconds for its pods."""
        argv = ["rollback", release, "--namespace", namespace, "--server-side=false", "--wait=legacy"]
        argv += [f"--timeout={wait:.3f}s", f"--history-max={HISTORY}"]
        return Upgrade(self._argv(argv), self._environment(), self)

    def uninstall(self, namespace: str, *releases: str) -> bool:
        """Remove releases, their objects in the foreground without waiting. False when there was none of them."""
        argv = [
            "uninstall",
            *releases,
            "--namespace",
            namespace,
            "--cascade=foreground",
            "--ignore-not-found",
        ]
        done = run(self._argv(argv), env=self._environment(), timeout=120, inherited=self.inherited)
        return b"uninstalled" in done.stdout

    def _argv(self, words: Sequence[str]) -> list[str]:
        argv = [private.path("helm"), *words, f"--kubeconfig={self.target.kubeconfig}"]
        return [*argv, f"--kube-context={self.target.context}"] if self.target.context else argv

    def _environment(self) -> dict[str, str]:
        homes = {
            f"HELM_{name}_HOME": f"{self.directory}/{name.lower()}" for name in ("CACHE", "CONFIG", "DATA")
        }
        return {**homes, "HELM_PLUGINS": f"{self.directory}/plugins"}

    def _write(self, release: str, chart: Mapping[str, str]) -> str:
        base = tempfile.mkdtemp(prefix="chart-", dir=self.directory)
        path = f"{base}/{release}"
        os.makedirs(f"{path}/templates", mode=0o700)
        for name, text in chart.items():
            self._write_file(f"{path}/{name}", text)
        return path

    @staticmethod
    def _write_file(path: str, text: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


class Upgrade:
    """A running `helm upgrade`. It has a session of its own: a ^C at the terminal is ours to pass on, in order."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], runner: Helm) -> None:
        log.debug("run: helm " + " ".join(argv[1:]))
        self._argv = argv
        self._output = tempfile.TemporaryFile(dir=runner.directory)  # noqa: SIM115 - lives as long as this
        self._child = Child(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment(env),
            start_new_session=True,
            pass_fds=runner.inherited,
        )

    def ended(self, timeout: float) -> bool:
        """Whether helm has ended, after at most `timeout` seconds."""
        try:
            self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def abort(self, patience: float) -> None:
        """End helm so that it records the revision as failed (it handles TERM, not HUP or QUIT).

        `patience` is how long it may take, in seconds: a rollback waits for pods.
        """
        if self._child.poll() is None:
            self._child.terminate()
        if not self.ended(patience + _GRACE):
            self._child.kill()
            self._child.wait()

    def check(self) -> None:
        """Errors: CommandError with helm's words when it failed."""
        if self._child.returncode:
            raise CommandError(self._argv, self._child.returncode, self.output())

    @property
    def code(self) -> int:
        return self._child.returncode or 0

    def output(self) -> str:
        self._output.seek(0)
        return self._output.read().decode("utf-8", "replace").strip()


@contextlib.contextmanager
def started(start: Callable[[], Upgrade], patience: float = 0.0) -> Iterator[Upgrade]:
    """What `start` has started, for the block: helm must not go on alone, and has to record the revision as failed,
    whatever ends the block early. `patience` is that of `abort`."""
    running: Upgrade | None = None
    try:
        with unbroken():
            running = start()
        yield running
    finally:
        if running is not None:
            running.abort(patience)


@contextlib.contextmanager
def session(target: Target, parent: str, inherited: Sequence[int] = ()) -> Iterator[Helm]:
    """helm with a private directory (0700) below `parent` for charts, which hold secrets; it is gone afterwards.

    What a killed session left there is removed too: the caller holds a lock that makes it the only one.
    """
    for entry in os.listdir(parent):
        if entry.startswith(_PREFIX):
            shutil.rmtree(f"{parent}/{entry}", ignore_errors=True)
    place = os.statvfs(parent)
    if (left := place.f_bavail * place.f_frsize) < _ROOM:
        raise PluginError(
            f"Unable to write to {parent}: its file system has {left >> 20} MiB left, helm needs {_ROOM >> 20}. "
            f"See what fills it: df {parent}"
        )
    try:
        directory = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
    except OSError as error:
        raise PluginError(f"Unable to write to {parent}: {error.strerror}") from None
    try:
        yield Helm(target, directory, inherited)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
