"""One operation per app, between real processes that are killed, inherit and destroy."""

import fcntl
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import lock
from unit.dokku_host import Host

LIB = str(Path(lock.__file__).parents[2])
HOLD = """
import subprocess, sys
from scheduler_k3s.operations import lock
with lock.app_lock("shop") as inherited:
    child = ["sleep", "600"]
    pid = subprocess.Popen(child, pass_fds=[inherited]).pid if sys.argv[1:] == ["child"] else 0
    print("held", pid, flush=True)
    sys.stdin.readline()
print("left", flush=True)
"""


class Process:
    """A process that takes the lock of `shop` and keeps it until `leave`."""

    def __init__(self, *words: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", HOLD, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": LIB},
            text=True,
        )

    def line(self) -> str:
        assert self.child.stdout is not None
        return self.child.stdout.readline().strip()

    def leave(self) -> None:
        self.child.communicate("\n", timeout=30)

    def says_more(self, seconds: float) -> bool:
        assert self.child.stdout is not None
        return bool(select.select([self.child.stdout], [], [], seconds)[0])


@pytest.fixture
def started(dokku: Host) -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.child.kill()
        process.child.communicate()


def start(started: list[Process], *words: str) -> Process:
    started.append(Process(*words))
    return started[-1]


def test_the_second_waits_and_says_for_whom(started: list[Process]) -> None:
    first = start(started)
    assert first.line() == "held 0"
    second = start(started)
    assert second.line() == (f"Waiting for another operation on shop to end (process {first.child.pid}, 0s)")
    assert not second.says_more(0.6)
    first.leave()
    assert second.line() == "held 0"


def test_a_killed_holder_frees_the_lock(started: list[Process]) -> None:
    first = start(started)
    assert first.line() == "held 0"
    first.child.send_signal(signal.SIGKILL)
    assert start(started).line() == "held 0"


def test_what_a_killed_holder_started_keeps_the_lock(started: list[Process]) -> None:
    """helm may live on; its release is not to be taken for an abandoned one."""
    first = start(started, "child")
    helm = int(first.line().removeprefix("held "))
    try:
        first.child.send_signal(signal.SIGKILL)
        first.child.wait()
        second = start(started)
        assert "Waiting for another operation on shop" in second.line()
        assert not second.says_more(0.6)
    finally:
        os.kill(helm, signal.SIGKILL)
    assert second.line() == "held 0"


def test_apps_do_not_wait_for_each_other(started: list[Process], dokku: Host) -> None:
    assert start(started).line() == "held 0"
    with lock.app_lock("other"):
        pass


def test_a_lock_of_an_app_that_was_destroyed_meanwhile_is_not_enough(
    started: list[Process], dokku: Host
) -> None:
    """The file went with the app; who waited for it has to take the new app's."""
    first = start(started)
    assert first.line() == "held 0"
    second = start(started)
    assert "Waiting" in second.line()
    for name in ("deploy.lock", "helm.lock"):
        (dokku.data / "shop" / name).unlink()
    first.leave()
    assert second.line() == "held 0"
    assert (dokku.data / "shop/deploy.lock").read_text() == f"{second.child.pid}\n"
    assert "Waiting" in start(started).line()


def test_the_lock_is_for_dokku_alone(dokku: Host) -> None:
    with lock.app_lock("shop") as inherited:
        assert os.get_inheritable(inherited) is False
        for name in ("deploy.lock", "helm.lock"):
            path = dokku.data / "shop" / name
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.read_text() == f"{os.getpid()}\n"


def test_a_disk_that_takes_nothing_more_is_no_hindrance(dokku: Host) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with lock.app_lock("shop"):
            path = dokku.data / "shop/deploy.lock"
            assert path.read_text() == ""
            with path.open() as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_symlink_in_its_place_is_not_followed(dokku: Host, tmp_path: Path) -> None:
    (dokku.data / "shop").mkdir(parents=True)
    (dokku.data / "shop/deploy.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(PluginError, match=r"Unable to lock shop: .*deploy\.lock"), lock.app_lock("shop"):
        pytest.fail("locked through a link")
    assert not (tmp_path / "victim").exists()


def test_it_is_free_again_after_an_error(dokku: Host) -> None:
    with pytest.raises(KeyError), lock.app_lock("shop"):
        raise KeyError
    with lock.app_lock("shop"):
        pass
