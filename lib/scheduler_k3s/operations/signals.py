"""INT, HUP, QUIT and TERM end an operation in order: the first raises Cancelled, later ones have no effect."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from scheduler_k3s.errors import Cancelled
from scheduler_k3s.unbroken import interrupt

SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)


@contextlib.contextmanager
def cancellable(message: str, shell_code: bool = False) -> Iterator[None]:
    """Within, the first signal raises `Cancelled(message)` where the main thread is.

    With `shell_code` the exit code names the signal as shells do: 130 for INT.
    """

    def ignore(number: int, frame: FrameType | None) -> None:
        del number, frame

    def cancel(number: int, frame: FrameType | None) -> None:
        del frame
        for each in SIGNALS:
            signal.signal(each, ignore)
        interrupt(Cancelled(message, 128 + number if shell_code else 1))

    previous = {each: signal.signal(each, cancel) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
