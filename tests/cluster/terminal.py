"""A person at a terminal: a command on a pseudo-terminal, answered when it has shown what is waited for."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence

SECONDS = 120.0


class Terminal:
    """`output` is all that was shown."""

    def __init__(self, argv: Sequence[str], columns: int = 80, rows: int = 24) -> None:
        self.output = b""
        self._seen = 0
        self._pid, self._descriptor = pty.fork()
        if self._pid == 0:
            os.execv(argv[0], list(argv))
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def expect(self, text: bytes) -> None:
        """Wait until it is shown behind what was expected before."""
        deadline = time.monotonic() + SECONDS
        while (found := self.output.find(text, self._seen)) < 0:
            assert time.monotonic() < deadline, self.output
            assert self._read(0.2) is not None, self.output
        self._seen = found + len(text)

    def type(self, text: bytes) -> None:
        os.write(self._descriptor, text)

    def end(self) -> int:
        """Wait for the command's end; its exit code."""
        deadline = time.monotonic() + SECONDS
        while self._read(0.2) is not None:
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGTERM)
                raise AssertionError(self.output)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self, seconds: float) -> bytes | None:
        """None at the end."""
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return None
        self.output += data
        return data or None
