"""Children are not lost to a signal, at whatever instruction it comes."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from scheduler_k3s.child import Child
from scheduler_k3s.errors import Cancelled
from scheduler_k3s.operations.signals import cancellable
from scheduler_k3s.tools import command


class Signalling:
    """A lock in front of whose owner a signal comes, before it has begun what it took the lock for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True) -> bool:
        taken = self._lock.acquire(blocking)
        signal.raise_signal(signal.SIGTERM)
        return taken

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


def test_a_signal_while_the_child_is_looked_after_leaves_it_to_be_waited_for() -> None:
    child = Child(["sleep", "0.3"])
    child._waitpid_lock = Signalling()  # type: ignore[attr-defined]
    with cancellable("cancelled"):
        with pytest.raises(Cancelled, match="cancelled"):
            child.wait(5)
        assert child.wait(5) == 0


def test_a_child_that_takes_longer_is_given_up() -> None:
    child = Child(["sleep", "60"])
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.1)
    assert child.poll() is None
    child.kill()
    assert child.wait() == -signal.SIGKILL


def test_a_signal_ends_the_program_that_is_run(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"echo $$ >{note}.new; mv {note}.new {note}; exec sleep 60"

    def interrupt() -> None:
        while not note.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    with cancellable("cancelled"), pytest.raises(Cancelled):
        command.run(["sh", "-c", script])
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
