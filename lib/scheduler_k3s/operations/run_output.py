"""The output of a one-off process on its way to our streams: held back until its place is known, or printed."""

from scheduler_k3s import joint, terminal
from scheduler_k3s.lines import OutputClosed
from scheduler_k3s.tools.remote import STDERR, STDOUT

TAIL = 256 * 1024
"""Bytes of each stream that are remembered to find, at the end, what did not come."""


class Printed:
    """What has been written to our streams: `size` is counted as in the log. `failure` is why one takes no more.

    `tails` is the last of what came on each stream, as in the log.
    """

    def __init__(self, tty: bool) -> None:
        self.tails = {STDOUT: bytearray(), STDERR: bytearray()}
        self.failure: OSError | None = None
        self._newline = b"\r\n" if tty else b"\n"
        self._size = 0
        self._streams = {STDOUT: joint.Stream(), STDERR: joint.Stream()}

    @property
    def size(self) -> int:
        return self._size + sum(len(stream.held) for stream in self._streams.values())

    def __call__(self, channel: int, data: bytes) -> None:
        """Output as the process wrote it."""
        self._write(2 if channel == STDERR else 1, data)
        self._size += len(self._streams[channel].take(data))
        self._note(channel, data)

    def logged(self, data: bytes) -> None:
        """Output as the log has it."""
        self._write(1, data.replace(b"\n", self._newline))
        self._size += len(data)
        self._note(STDOUT, data)

    def _note(self, channel: int, data: bytes) -> None:
        tail = self.tails[channel]
        tail += data[-TAIL:]
        if len(tail) > 2 * TAIL:
            del tail[:-TAIL]

    def _write(self, descriptor: int, data: bytes) -> None:
        try:
            terminal.write(descriptor, data)
        except OSError as error:
            self.failure = error
            raise OutputClosed(error) from None


class Held:
    """Output that is kept back until it is known what came before."""

    def __init__(self) -> None:
        self.streams = {STDOUT: bytearray(), STDERR: bytearray()}

    def __call__(self, channel: int, data: bytes) -> None:
        self.streams[channel] += data

    @property
    def size(self) -> int:
        return sum(map(len, self.streams.values()))

    def offset(self, log: bytes, ended: bool) -> int | None:
        return joint.offset(log, bytes(self.streams[STDOUT]), bytes(self.streams[STDERR]), ended)

    def place(self, log: bytes) -> int | None:
        """The same from what the beginning says, for one stream alone: two are mixed in the log."""
        found = [bytes(data[: 2 * joint.SAMPLE]) for data in self.streams.values() if data]
        return joint.find(log, found[0]) if len(found) == 1 else None
