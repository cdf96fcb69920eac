"""HTTP/1.1 on a connected socket: as much of it as talking to the Kubernetes API takes.

The standard library's client brings the parser of e-mail along, 15 ms that every status question would pay.
"""

import io
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BUFFER = 32 * 1024
_LINE = 64 * 1024
_HEADERS = 200
_LARGE = 256 * 1024

SWITCHING = 101
"""What follows such an answer is no longer HTTP."""


class ProtocolError(ConnectionError):
    """The peer does not speak HTTP, or hung up in the middle of an answer."""


class Connection:
    """One request after the other; `reusable` says whether another may follow the answer just read."""

    def __init__(self, stream: socket.socket, host: str) -> None:
        self.stream = stream
        self.reusable = True
        self._host = host
        file = stream.makefile("rb", buffering=_BUFFER)
        assert isinstance(file, io.BufferedReader)
        self._file = file

    def rest(self) -> bytes:
        """What has been received beyond the answers read so far, on a connection that does not block."""
        try:
            return self._file.read1(_BUFFER) or b""
        except OSError:
            return b""

    def request(
        self, method: str, target: str, headers: "Mapping[str, str]", body: bytes = b""
    ) -> "Response":
        """Errors: OSError. The body of the answer has not been read yet."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        if not all(line.isascii() and line.isprintable() for line in lines) or " " in target:
            raise ProtocolError("a character that no request may hold")
        self.stream.sendall("\r\n".join((*lines, "", "")).encode("ascii") + body)
        return Response(self, self._file)

    def close(self) -> None:
        self._file.close()
        self.stream.close()


class Response:
    """`status` and `headers` (lower case names) are there at once, the body as it comes. Reading raises OSError."""

    def __init__(self, connection: Connection, file: io.BufferedReader) -> None:
        self._file = file
        self.status, self.headers = self._head()
        while 100 <= self.status < 200 and self.status != SWITCHING:
            self.status, self.headers = self._head()
        length = self.headers.get("content-length", "")
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self._left: int | None = 0 if self._chunked else int(length) if length.isdecimal() else None
        self._ended = self.status in (204, 304) or (length == "0" and not self._chunked)
        self._inside = False
        closes = self.headers.get("connection", "").lower() == "close"
        connection.reusable = not closes and (self._left is not None or self._ended)

    def read1(self, limit: int) -> bytes:
        """The next piece of the body, at most `limit` bytes; b"" at its end."""
        if self._chunked and not self._left and not self._ended:
            self._next_chunk()
        if self._ended:
            return b""
        data = self._file.read1(limit if self._left is None else min(limit, self._left))
        if self._left is None:
            self._ended = not data
        elif not data:
            raise ProtocolError("the connection was closed in the middle of an answer")
        else:
            self._left -= len(data)
            self._ended = not self._left and not self._chunked
        return data

    def read(self) -> bytes:
        parts = []
        while data := self.read1(_LARGE):
            parts.append(data)
        return b"".join(parts)

    def __iter__(self) -> "Iterator[bytes]":
        """The lines of the body, each as soon as it is complete."""
        rest = b""
        while data := self.read1(_LARGE):
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def _head(self) -> "tuple[int, dict[str, str]]":
        version, _, rest = self._line().partition(" ")
        code = rest[:3]
        if not version.startswith("HTTP/1.") or not code.isdecimal():
            raise ProtocolError("the answer is not HTTP")
        headers: dict[str, str] = {}
        while line := self._line():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
            if len(headers) > _HEADERS:
                raise ProtocolError("the answer has too many headers")
        return int(code), headers

    def _next_chunk(self) -> None:
        if self._inside and self._line():
            raise ProtocolError("a chunk of the answer is longer than it says")
        self._inside = True
        try:
            self._left = int(self._line().partition(";")[0], 16)
        except ValueError:
            raise ProtocolError("the answer is not chunked as it says") from None
        if not self._left:
            self._ended = True
            while self._line():
                pass

    def _line(self) -> str:
        line = self._file.readline(_LINE)
        if line[-1:] != b"\n":
            raise ProtocolError("the connection was closed in the middle of an answer")
        return line.decode("latin-1").rstrip("\r\n")
