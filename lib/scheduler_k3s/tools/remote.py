"""Our standard streams and a process in a container, over one WebSocket: what `kubectl attach` and `exec` do.

kubectl takes 88 ms to start, cannot be told to attach the moment a container runs, and prints of its own. One loop
serves both directions, so a command that answers while it still reads can block neither side.
"""

import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from scheduler_k3s import terminal
from scheduler_k3s.tools import pulse
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object
from scheduler_k3s.tools.pulse import Pulse
from scheduler_k3s.tools.websocket import CHANNELS, OLD_CHANNELS, WebSocket

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
_READ = 64 * 1024
_AHEAD = 512 * 1024
_REFUSED = (400, 403)
_AFTER_STATUS = 5.0
_PIPE = 60 * 1024
"""Bytes that surely fit into the pipe to a process."""
_QUIET = 2.0
_END_OF_FILE = b"\x04"
_CLOSED = "the connection was closed"

Sink = Callable[[int, bytes], None]


class Ended(NamedTuple):
    """How a session ended. `code` is an exec's exit code; None when the process could not be reached or was lost,
    which `message` explains. An attachment knows no code: 0 stands for a regular end.
    """

    code: int | None
    message: str = ""


class NoEndOfInput(Exception):
    """The server is too old to tell a command that its input has ended; the command was not started."""


def attach(cluster: Cluster, pod_path: str, container: str, *, tty: bool, stdin: bool) -> "Session":
    """Errors: ApiError, Unreachable. That the container does not run (yet) is told by how the session ends.

    With an old server the session itself ends once the process has its input, and a container with `stdinOnce`
    gets the end of it then.
    """
    words = [("container", container), *_streams(stdin=stdin, tty=tty)]
    socket = _upgraded(cluster, f"{pod_path}/attach", words, CHANNELS)
    is_old = socket is None
    socket = socket or cluster.upgrade(f"{pod_path}/attach", words, OLD_CHANNELS)
    return Session(socket, tty, stdin, ends_with_input=is_old)


def execute(
    cluster: Cluster, pod_path: str, container: str, command: Sequence[str], *, tty: bool, stdin: bool = True
) -> "Session":
    """Start `command` in the container. Errors: ApiError, Unreachable, NoEndOfInput."""
    words = [("container", container), *(("command", word) for word in command)]
    words += _streams(stdin=stdin, tty=tty)
    socket = _upgraded(cluster, f"{pod_path}/exec", words, CHANNELS)
    if socket is None and stdin and not tty:
        raise NoEndOfInput
    return Session(socket or cluster.upgrade(f"{pod_path}/exec", words, OLD_CHANNELS), tty, stdin)


def _upgraded(
    cluster: Cluster, path: str, words: Sequence[tuple[str, str]], channels: str
) -> WebSocket | None:
    """None when the server does not know these channels: a refusal without the API's own Status."""
    try:
        return cluster.upgrade(path, words, channels)
    except ApiError as error:
        if error.code in _REFUSED and not error.reason:
            return None
        raise


def _streams(stdin: bool, tty: bool) -> list[tuple[str, str]]:
    """A terminal has one output: stderr must not be asked for beside it."""
    wanted = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
    return [(key, "true") for key, value in wanted.items() if value]


class Session:
    """`pump` moves what can be moved; output goes to `sink`. stdin is read only when `feeding` is set."""

    def __init__(
        self, socket: WebSocket, tty: bool, stdin: bool = True, *, ends_with_input: bool = False
    ) -> None:
        self._socket = socket
        self._tty = tty
        self._stdin_open = stdin
        self._ends_with_input = ends_with_input
        self._last_byte = b""
        self._fed = 0
        self._quiet_since = 0.0
        self._pulse = Pulse(socket)
        self._status: Ended | None = None
        self._status_at = 0.0
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.feeding = False
        self.ended: Ended | None = None

    def run(self, sink: Sink) -> Ended:
        """Serve the streams until the process ends."""
        if not self.feeding:
            self.feeding = True
            self.resize()
        while self.ended is None:
            self.pump(sink, 5.0)
        return self.ended

    def terminal(self) -> "_Terminal":
        """Our terminal is raw within, and changes of its size are passed on."""
        return _Terminal(self, self._tty)

    def resize(self) -> None:
        """Tell the size. First a false one: only a change makes a program draw again what it showed before."""
        if self._tty and (size := terminal.size()):
            for columns, rows in ((size[0] + 1, size[1] + 1), size):
                self._send(RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())

    def pump(self, sink: Sink, timeout: float) -> bool:
        """Wait at most `timeout` seconds for something to do and do it; whether any output came."""
        if self.ended is not None:
            return False
        try:
            seen = self._pump(sink, timeout)
        except _PeerError as error:
            self._finish(Ended(None, f"the connection broke: {error}"))
            return False
        # the status may overtake output, which the end of the connection does not
        if self._socket.closed or (self._status and time.monotonic() - self._status_at > _AFTER_STATUS):
            self._finish(Ended(None, ": ".join(filter(None, (_CLOSED, self._socket.farewell)))))
        return seen

    def close(self) -> None:
        self._socket.close()
        for descriptor in (self._wake, self._waker):
            os.close(descriptor)

    def wake(self) -> None:
        """For signal handlers: let `pump` return, and tell the terminal's size."""
        try:
            os.write(self._waker, b"!")
        except BlockingIOError:
            return

    def _pump(self, sink: Sink, timeout: float) -> bool:
        poll = select.poll()
        mask = select.POLLIN | (select.POLLOUT if self._socket.pending else 0)
        poll.register(self._socket, mask)
        poll.register(self._wake, select.POLLIN)
        if self.feeding and self._stdin_open and self._socket.pending < _AHEAD:
            poll.register(0, select.POLLIN)
        events = dict(poll.poll(1000 * (min(timeout, 0.1) if self._quiet_since else timeout)))
        if self._wake in events:
            os.read(self._wake, 1024)
            self._send_size()
        if 0 in events:
            self._feed()
        seen = False
        for message in self._incoming():
            seen |= self._take(message, sink)
        if self._pulse.has_stopped():
            raise _PeerError(f"no answer for {pulse.SILENCE:g} s")
        if self._quiet_since:
            self._leave(seen)
        self._outgoing()
        return seen

    def _incoming(self) -> Iterator[bytes]:
        """Message by message: what came before a fault is output like any other."""
        messages = self._socket.receive()
        while True:
            try:
                message = next(messages, None)
            except OSError as error:
                raise _PeerError(error.strerror or str(error)) from None
            if message is None:
                return
            yield message

    def _outgoing(self) -> None:
        try:
            self._socket.flush()
        except OSError as error:
            if self._status is None:
                raise _PeerError(error.strerror or str(error)) from None

    def _take(self, message: bytes, sink: Sink) -> bool:
        channel, data = message[:1], message[1:]
        if channel == bytes((STATUS,)) and data:
            self._status, self._status_at = _ended(data), time.monotonic()
        elif channel in (b"\x01", b"\x02") and data:
            sink(channel[0], data)
            return True
        return False

    def _finish(self, ended: Ended) -> None:
        self.ended = self._status or ended

    def _feed(self) -> None:
        try:
            data = os.read(0, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._last_byte, self._fed = data[-1:], self._fed + len(data)
            self._send(STDIN, data)
            self._pulse.fed()
            return
        self._stdin_open = False
        if not self._tty and self._ends_with_input:
            self._pulse.ask()
            self._quiet_since = time.monotonic()
        elif not self._tty:
            self._send(CLOSE, bytes((STDIN,)))
        else:
            # closing the stream of a terminal would end the output too; the first sign only completes a line
            is_line_start = self._last_byte in (b"", b"\n", b"\r")
            self._send(STDIN, _END_OF_FILE if is_line_start else _END_OF_FILE * 2)

    def _leave(self, seen: bool) -> None:
        """Say goodbye once the process has its input: a node throws away what it still holds of it then.

        The peer takes one thing after the other, so an answered ping tells that it has sent all of it on. What the
        process has not read then is in its pipe, or, when that is full, in the node: for as long as output comes.
        """
        now = time.monotonic()
        if seen or not self._pulse.is_answered:
            self._quiet_since = now
        elif self._fed <= _PIPE or now - self._quiet_since > _QUIET:
            self._socket.say_goodbye()
            self._quiet_since = 0.0

    def _send_size(self) -> None:
        if size := terminal.size():
            self._send(RESIZE, json.dumps({"Width": size[0], "Height": size[1]}).encode())

    def _send(self, channel: int, data: bytes) -> None:
        self._socket.send(bytes((channel,)) + data)


class _PeerError(Exception):
    """The connection is gone; not an OSError, which our own streams raise."""


class _Terminal:
    def __init__(self, session: Session, tty: bool) -> None:
        self._session = session
        self._tty = tty
        self._raw = terminal.raw()

    def __enter__(self) -> None:
        if self._tty:
            self._raw.__enter__()
            self._previous = signal.signal(signal.SIGWINCH, lambda number, frame: self._session.wake())

    def __exit__(self, *exception: object) -> None:
        if self._tty:
            signal.signal(signal.SIGWINCH, self._previous)
            self._raw.__exit__(None, None, None)


def _ended(data: bytes) -> Ended:
    """The API's Status at the end of a session."""
    try:
        status: Object = json.loads(data)
    except ValueError:
        return Ended(None, data[:200].decode("utf-8", "replace"))
    if status.get("status") == "Success":
        return Ended(0)
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdigit():
            return Ended(int(cause["message"]))
    return Ended(None, str(status.get("message") or "no reason given"))
