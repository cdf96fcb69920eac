"""What attach and exec of a Kubernetes API server look like from the network: WebSockets on loopback, by hand.

A test says which protocols the server knows and what it does with each connection; frames are read and written
here on their own, apart from the code under test.
"""

import base64
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

NEW, OLD = "v5.channel.k8s.io", "v4.channel.k8s.io"
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(data: bytes, code: int = BINARY, *, final: bool = True) -> bytes:
    """As servers send them: not masked."""
    size = len(data)
    head = bytes([(0x80 if final else 0) | code])
    if size < 126:
        return head + bytes([size]) + data
    wide = size >= 1 << 16
    return head + bytes([127 if wide else 126]) + size.to_bytes(8 if wide else 2, "big") + data


class Peer:
    """The server's end of one connection. `target` is what was asked for, `channels` the protocol agreed on."""

    def __init__(self, stream: socket.socket, target: str = "", channels: str = NEW) -> None:
        self.stream, self.target, self.channels = stream, target, channels
        self._file = stream.makefile("rb")

    def send(self, channel: int, data: bytes) -> None:
        self.raw(frame(bytes([channel]) + data))

    def raw(self, data: bytes) -> None:
        self.stream.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """Kind and unmasked content of the client's next frame. Errors: EOFError at the end."""
        head = self._take(2)
        assert head[1] & 0x80, "clients mask their frames"
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        key, data = self._take(4), self._take(size)
        return head[0] & 0x0F, bytes(byte ^ key[place % 4] for place, byte in enumerate(data))

    def input(self) -> Iterator[tuple[int, bytes]]:
        """Channel and data of each message until the client leaves; pings are answered."""
        while True:
            try:
                code, data = self.receive()
            except EOFError:
                return
            if code == PING:
                self.raw(frame(data, PONG))
            elif code == CLOSE:
                return
            elif code == BINARY:
                yield data[0], data[1:]

    def hang_up(self) -> None:
        """End the connection whoever else holds it."""
        self.stream.shutdown(socket.SHUT_RDWR)

    def _take(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise EOFError
        return data


@contextmanager
def serve(
    script: Callable[[Peer], None],
    protocols: Sequence[str] = (NEW, OLD),
    log: Callable[[str], bytes] | None = None,
) -> Iterator[str]:
    """The server's address. `script` has each upgraded connection for itself and ends it by returning.

    `log` answers requests for logs, by their target.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(stream: socket.socket) -> None:
        with stream:
            peer = _upgraded(stream, protocols, log)
            if peer:
                try:
                    script(peer)
                    stream.shutdown(socket.SHUT_WR)
                    while stream.recv(65536):
                        pass
                except OSError:
                    return

    def accept() -> None:
        while True:
            try:
                stream = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=answer, args=(stream,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _upgraded(
    stream: socket.socket, protocols: Sequence[str], log: Callable[[str], bytes] | None
) -> Peer | None:
    """Answer the request; one for protocols that are not known is refused as old servers do, without a Status."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += stream.recv(1)
    first, *rest = request.decode().split("\r\n")
    if log and "/log?" in first:
        body = log(first.split()[1])
        stream.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        return None
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    wanted = headers["sec-websocket-protocol"].replace(" ", "").split(",")
    agreed = next((item for item in wanted if item in protocols), "")
    if not agreed:
        stream.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return None
    digest = hashlib.sha1(headers["sec-websocket-key"].encode() + _MAGIC).digest()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}",
        f"Sec-WebSocket-Protocol: {agreed}",
    ]
    stream.sendall("\r\n".join([*lines, "", ""]).encode())
    return Peer(stream, first.split()[1], agreed)
