"""WebSocket frames (RFC 6455) on a connection that does not block: as much as `attach` and `exec` take.

Nothing here waits: `receive` gives what is there, `flush` writes what the network takes. So one loop can serve
the terminal and both directions, and neither direction can stop the other.
"""

import os
import ssl
from collections.abc import Iterator

from scheduler_k3s.tools.http1 import Connection, ProtocolError

CHANNELS = "v5.channel.k8s.io"
"""The one protocol that can tell the end of stdin; API servers speak it from Kubernetes 1.30 on."""
OLD_CHANNELS = "v4.channel.k8s.io"
"""The same without it, of older servers."""

_READ = 256 * 1024
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_LARGEST = 64 * 1024 * 1024
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def upgrade_headers(channels: str) -> dict[str, str]:
    from base64 import b64encode

    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": b64encode(os.urandom(16)).decode("ascii"),
        "Sec-WebSocket-Protocol": channels,
    }


class WebSocket:
    """One upgraded connection. `closed` is set once the peer has ended it, `farewell` is what it said then.

    `answered` is what the newest answered ping carried, `size` how much has been received.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stream = connection.stream
        self._stream.setblocking(False)
        self._received = bytearray(connection.rest())
        self._message = bytearray()
        self._out = bytearray()
        self.closed = False
        self.farewell = ""
        self.answered = b""
        self.size = 0

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def pending(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._out)

    def send(self, data: bytes) -> None:
        """Queue one message; `flush` sends it."""
        self._queue(_BINARY, data)

    def ping(self, data: bytes) -> None:
        self._queue(_PING, data)

    def say_goodbye(self) -> None:
        """Queue a regular close; the peer answers by ending the connection."""
        self._queue(_CLOSE, (1000).to_bytes(2, "big"))

    def flush(self) -> None:
        """Write what the network takes now. Errors: OSError."""
        while self._out:
            try:
                sent = self._stream.send(memoryview(self._out)[:_READ].tobytes())
            except _WOULD_BLOCK:
                return
            del self._out[:sent]

    def receive(self) -> Iterator[bytes]:
        """The messages that have come, as far as one read brings them. Errors: OSError."""
        yield from self._messages()
        for _ in range(16):
            try:
                data = self._stream.recv(_READ)
            except _WOULD_BLOCK:
                return
            if not data:
                self.closed = True
                return
            self._received += data
            self.size += len(data)
            yield from self._messages()

    def close(self) -> None:
        self._connection.close()

    def _messages(self) -> Iterator[bytes]:
        at = 0
        while not self.closed and (frame := _frame(self._received, at)):
            head, start, at = frame
            payload = bytes(memoryview(self._received)[start:at])
            code = head & 0x0F
            if code in (_CONTINUATION, _TEXT, _BINARY):
                self._message += payload
                if len(self._message) > _LARGEST:
                    raise ProtocolError("a message is too large")
                if head & 0x80:
                    message, self._message = bytes(self._message), bytearray()
                    yield message
            elif code == _CLOSE:
                self.closed, self.farewell = True, _farewell(payload)
            elif code == _PING:
                self._queue(_PONG, payload)
            elif code == _PONG:
                self.answered = payload
            else:
                raise ProtocolError(f"a frame is of the unknown kind {code}")
        del self._received[:at]

    def _queue(self, code: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = bytes((0x80 | code, 0x80 | size))
        elif size < 1 << 16:
            head = bytes((0x80 | code, 0x80 | 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | code, 0x80 | 127)) + size.to_bytes(8, "big")
        key = os.urandom(4)
        self._out += head + key + masked(data, key)


def masked(data: bytes, key: bytes) -> bytes:
    """`data` xor the repeated key, as one large number: that is quick."""
    size = len(data)
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")).to_bytes(size, "little")


def _farewell(payload: bytes) -> str:
    """Code and reason of a close frame; a regular end (1000, or no code) is nothing to tell."""
    code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode("utf-8", "replace")
    return " ".join(filter(None, (str(code), reason))) if code not in (0, 1000) else ""


def _frame(data: bytearray, at: int) -> tuple[int, int, int] | None:
    """First byte, start and end of the payload of the frame at `at`; None while it is not complete."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size & 0x80:
        raise ProtocolError("the server masks its frames")
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(data) < start + width:
            return None
        size, start = int.from_bytes(data[start : start + width], "big"), start + width
    if size > _LARGEST:
        raise ProtocolError("a frame is too large")
    return (data[at], start, start + size) if len(data) >= start + size else None
