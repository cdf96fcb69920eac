"""Steps that a signal does not part."""

import signal
import threading
from collections.abc import Iterator

import pytest
from scheduler_k3s.errors import Cancelled
from scheduler_k3s.operations.signals import cancellable
from scheduler_k3s.unbroken import unbroken


@pytest.fixture(autouse=True)
def _cancellable() -> Iterator[None]:
    with cancellable("cancelled"):
        yield


def test_a_signal_is_raised_after_the_steps() -> None:
    done = []
    with pytest.raises(Cancelled, match="cancelled"), unbroken():
        signal.raise_signal(signal.SIGTERM)
        with unbroken():
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]
    with unbroken():
        done.append("later")


def test_outside_of_them_it_is_raised_at_once() -> None:
    with unbroken():
        pass
    with pytest.raises(Cancelled):
        signal.raise_signal(signal.SIGTERM)


def test_an_error_of_the_steps_gives_way_to_the_signal() -> None:
    with pytest.raises(Cancelled), unbroken():
        signal.raise_signal(signal.SIGTERM)
        raise OSError("no program")


def test_other_threads_hold_no_signal_up() -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with unbroken():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert inside.wait(30)
        with pytest.raises(Cancelled):
            signal.raise_signal(signal.SIGTERM)
    finally:
        leave.set()
        thread.join()
