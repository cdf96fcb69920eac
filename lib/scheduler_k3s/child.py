"""Child processes that a signal cannot make us lose."""

import subprocess
import time

from scheduler_k3s.unbroken import unbroken

_SHORTEST, _LONGEST = 0.0005, 0.05


class Child(subprocess.Popen[bytes]):
    """Popen takes a lock to look whether its child has ended. A signal whose handler raises between two instructions
    there leaves it taken, and whoever waits for that child afterwards, to end in order, waits for ever.

    Here looking is a step that no signal parts, and between two looks it may come.
    """

    def poll(self) -> int | None:
        with unbroken():
            return super().poll()

    def wait(self, timeout: float | None = None) -> int:
        """Errors: subprocess.TimeoutExpired."""
        started, pause = time.monotonic(), _SHORTEST
        while (code := self.poll()) is None:
            if timeout is not None and time.monotonic() - started >= timeout:
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST)
        return code
