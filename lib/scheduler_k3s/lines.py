"""Turns chunks of logs into whole, prefixed lines on one descriptor, without ever looking at single lines.

Everything is bytes: a container may write what is no UTF-8. Work is done per chunk, so that Python does not
become slower than the network.
"""

import os
import re
import threading
import time

LONGEST = 256 * 1024
"""Bytes of an unfinished line that are held back; a longer one is written as it comes."""
STALL = 5.0
"""Seconds that the others wait for the end of such a line."""

_STAMP = re.compile(rb"^\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d) ", re.MULTILINE)


class OutputClosed(Exception):
    """The descriptor takes no more. `error` is why; not an OSError itself, which is what connections raise."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class Output:
    """One descriptor shared by threads, each of which writes whole lines."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._turn = threading.Condition()
        self._owner: object = None
        self._since = 0.0

    def write(self, writer: object, data: bytes, *, prefix: bytes = b"", opens: bool = False) -> None:
        """Write lines; with `opens` the last of them goes on in the writer's next call, and others wait for it.

        That call gives the line's `prefix` again, for the case that the others have lost their patience.
        """
        with self._turn:
            self._wait_for_end_of_line(writer)
            self._put(data if self._owner is writer else prefix + data)
            self._owner = writer if opens else None
            self._since = time.monotonic()
            self._turn.notify_all()

    def _wait_for_end_of_line(self, writer: object) -> None:
        while self._owner not in (None, writer):
            patience = self._since + STALL - time.monotonic()
            if patience > 0:
                self._turn.wait(patience)
            else:
                self._put(b"\n")
                self._owner = None

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                # whoever gave us the descriptor has made it non-blocking
                import select

                select.select([], [self._descriptor], [])
            except OSError as error:
                raise OutputClosed(error) from None


class Plain:
    """The lines of a log that has the output for itself until its end."""

    def __init__(self, output: Output, prefix: bytes) -> None:
        self._output = output
        self._prefix = prefix
        self._inside = False

    def take(self, data: bytes) -> None:
        inside = data[-1:] != b"\n"
        if self._prefix:
            last = len(data) - 1
            data = data[:last].replace(b"\n", b"\n" + self._prefix) + data[last:]
            if not self._inside:
                data = self._prefix + data
        self._inside = inside
        self._output.write(self, data)

    def finish(self) -> None:
        """The log has ended: a last line without its newline gets one."""
        if self._inside:
            self._output.write(self, b"\n")
            self._inside = False


class Stamped:
    """The lines of a log that is followed beside others, as the kubelet gives them with `timestamps=true`.

    The stamps are taken off. They tell where to go on after a lost connection: `since`, then `resume`.
    """

    def __init__(self, output: Output, prefix: bytes) -> None:
        self._output = output
        self._prefix = prefix
        self._rest = b""
        self._open = 0  # bytes written of a line whose end has not come yet
        self._last = b""  # stamp of the newest line written
        self._count = 0  # lines written with that stamp
        self._behind = False
        self._passed = 0
        self._partial = 0

    @property
    def since(self) -> str:
        """The stamp to ask for after a lost connection; the server may send older lines too. "" at the beginning."""
        return self._last.decode("ascii", "replace")

    def resume(self) -> None:
        """A new connection follows: pass over what has been written, up to the middle of a line."""
        self._rest = b""
        self._behind = bool(self._last)
        self._passed = 0
        if self._open:
            self._count -= 1
        self._partial = self._open or self._partial
        self._open = 0

    def restart(self) -> None:
        """The next data is another container's."""
        self.finish()
        self._last, self._count, self._behind = b"", 0, False

    def take(self, data: bytes) -> None:
        if self._open:
            data = self._continue(data)
        data = self._rest + data if self._rest else data
        end = data.rfind(b"\n") + 1
        whole, self._rest = data[:end], data[end:]
        if self._behind and whole:
            whole = self._pass_over(whole)
        if whole:
            self._note(whole)
            self._output.write(self, _STAMP.sub(self._prefix, whole))
        if len(self._rest) > LONGEST and not self._behind:
            self._note(self._rest)
            self._output.write(self, _STAMP.sub(self._prefix, self._rest), opens=True)
            self._open, self._rest = len(self._rest), b""

    def finish(self) -> None:
        """The log has ended: a last line without its newline gets one."""
        if self._rest or self._open:
            self.take(b"\n")
        self._end_partial()

    def _continue(self, data: bytes) -> bytes:
        """Write the part of an open line, return what follows it."""
        head, newline, tail = data.partition(b"\n")
        self._output.write(self, head + newline, prefix=self._prefix, opens=not newline)
        self._open = 0 if newline else self._open + len(head)
        return tail

    def _note(self, lines: bytes) -> None:
        start = lines.rfind(b"\n", 0, len(lines) - 1) + 1
        stamp = lines[start : lines.find(b" ", start)]
        same = lines.startswith(stamp + b" ") + lines.count(b"\n" + stamp + b" ")
        self._count = same + (self._count if stamp == self._last else 0)
        self._last = stamp

    def _pass_over(self, lines: bytes) -> bytes:
        """What of these whole lines is new."""
        start = 0
        while start < len(lines):
            stamp = lines[start : lines.find(b" ", start)]
            if stamp > self._last or (stamp == self._last and self._passed == self._count):
                break
            self._passed += stamp == self._last
            start = lines.find(b"\n", start) + 1
        else:
            return b""
        self._behind = False
        lines = lines[start:]
        if not self._partial or stamp != self._last:
            self._end_partial()
            return lines
        head, newline, tail = lines.partition(b"\n")
        self._output.write(self, head[self._partial :] + newline, prefix=self._prefix)
        self._count, self._partial = self._count + 1, 0
        return tail

    def _end_partial(self) -> None:
        """End the line whose other part did not come with the new connection."""
        if self._partial:
            self._partial = 0
            self._output.write(self, b"\n")
