"""Whether the peer of a WebSocket is alive, asked by pings, which also keep open what says nothing for long."""

import time

from scheduler_k3s.tools.websocket import WebSocket

PING = 20.0
"""Seconds between two questions."""
SILENCE = 60.0
"""Seconds without an answer after which a peer is taken for dead."""


class Pulse:
    """The peer takes one thing after the other: behind input that its process does not read, a ping waits for ever.

    So silence proves nothing until a ping that followed the newest input has been answered.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._number = self._last_fed = self._size = 0
        self._pinged = time.monotonic()
        self._heard = 0.0

    def fed(self) -> None:
        """Input has been sent."""
        self._last_fed, self._heard = self._number, 0.0

    def ask(self) -> None:
        """Send a ping now."""
        self._pinged, self._number = time.monotonic(), self._number + 1
        self._socket.ping(b"%d" % self._number)

    @property
    def is_answered(self) -> bool:
        """Whether the peer has taken all input, and answered a ping behind it."""
        return self._number > self._last_fed and self._socket.answered == b"%d" % self._number

    def has_stopped(self) -> bool:
        """To be asked often; sends the pings."""
        now, size = time.monotonic(), self._socket.size
        if self.is_answered or (self._heard and size != self._size):
            self._heard = now
        self._size = size
        if now - self._pinged > PING:
            self.ask()
        return bool(self._heard) and now - self._heard > SILENCE
