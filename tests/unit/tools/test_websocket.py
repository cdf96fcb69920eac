"""WebSocket frames against raw bytes: cut anywhere, in fragments, between control frames, hostile."""

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s.tools.http1 import Connection, ProtocolError
from scheduler_k3s.tools.websocket import WebSocket, masked
from unit.stream_server import BINARY, CLOSE, PING, PONG, Peer, frame

MESSAGES = st.lists(st.binary(max_size=70_000), max_size=4)


@pytest.fixture
def ends() -> Iterator[tuple[WebSocket, Peer]]:
    ours, theirs = socket.socketpair()
    client = WebSocket(Connection(ours, "example"))
    yield client, Peer(theirs)
    client.close()
    theirs.close()


def received(client: WebSocket, count: int) -> list[bytes]:
    """So many messages, or fewer when the peer has ended the connection."""
    found: list[bytes] = []
    until = time.monotonic() + 30
    while len(found) < count and not client.closed:
        assert time.monotonic() < until, f"only {len(found)} came"
        select.select([client], [], [], 1)
        found += client.receive()
    return found


@given(MESSAGES, st.lists(st.integers(1, 50_000), min_size=1, max_size=5), st.binary(max_size=125))
def test_messages_come_whole_however_they_are_cut(
    messages: list[bytes], cuts: list[int], note: bytes
) -> None:
    """Each is sent in fragments with a ping and a pong in between, which may not end it."""
    ours, theirs = socket.socketpair()
    client, peer = WebSocket(Connection(ours, "example")), Peer(theirs)
    expected = []
    for message in messages:
        cut = cuts[0] % (len(message) + 1)
        peer.raw(frame(message[:cut], BINARY, final=False) + frame(note, PING) + frame(b"7", PONG))
        peer.raw(frame(message[cut:], 0))
        expected.append(message)
        assert received(client, 1) == [message]
        client.flush()
        assert peer.receive() == (PONG, note)
    assert client.answered == (b"7" if expected else b"")
    client.close()
    theirs.close()


def test_a_frame_that_comes_byte_by_byte_is_one_message(ends: tuple[WebSocket, Peer]) -> None:
    client, peer = ends
    for byte in frame(b"x" * 300):
        assert list(client.receive()) == []
        peer.raw(bytes([byte]))
    assert received(client, 1) == [b"x" * 300]


def test_what_came_with_the_answer_is_not_lost() -> None:
    """A server may send the first frames together with the head of its answer."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frame(b"first") + frame(b"second"))
    connection = Connection(ours, "example")
    assert connection.request("GET", "/", {}).status == 101
    client = WebSocket(connection)
    assert received(client, 2) == [b"first", b"second"]
    client.close()
    theirs.close()


@given(st.binary(max_size=200), st.binary(min_size=4, max_size=4))
def test_masking_is_its_own_inverse_and_byte_by_byte(data: bytes, key: bytes) -> None:
    assert masked(data, key) == bytes(byte ^ key[place % 4] for place, byte in enumerate(data))


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 3_000_000])
def test_what_is_sent_arrives_however_slowly_it_is_taken(ends: tuple[WebSocket, Peer], size: int) -> None:
    client, peer = ends
    data = bytes(range(256)) * (size // 256 + 1)
    client.send(data[:size])
    client.flush()
    if size > 1_000_000:
        assert client.pending, "the network takes no such amount at once, and nobody may wait for it"
    found: list[tuple[int, bytes]] = []
    reader = threading.Thread(target=lambda: found.append(peer.receive()))
    reader.start()
    while client.pending:
        select.select([], [client], [], 1)
        client.flush()
    reader.join(30)
    assert found == [(BINARY, data[:size])]


@pytest.mark.parametrize(
    ("payload", "farewell"),
    [
        (b"", ""),
        ((1000).to_bytes(2, "big") + b"bye", ""),
        ((1001).to_bytes(2, "big") + b"going away", "1001 going away"),
        ((1011).to_bytes(2, "big") + b"\xff", "1011 \ufffd"),
    ],
)
def test_the_peers_farewell(ends: tuple[WebSocket, Peer], payload: bytes, farewell: str) -> None:
    client, peer = ends
    peer.raw(frame(b"last") + frame(payload, CLOSE) + frame(b"behind the end"))
    assert received(client, 2) == [b"last"]
    assert (client.closed, client.farewell) == (True, farewell)


def test_a_peer_that_hangs_up_without_a_word_has_closed(ends: tuple[WebSocket, Peer]) -> None:
    client, peer = ends
    peer.raw(frame(b"one") + frame(b"half of it")[:5])
    peer.hang_up()
    assert received(client, 2) == [b"one"]
    assert client.closed


HUGE = bytes([0x82, 127]) + (1 << 62).to_bytes(8, "big")
PIECE = frame(b"x" * 1_000_000, BINARY, final=False)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (bytes([0x82, 0x80 | 1]) + b"keyyx", "masks"),
        (HUGE, "too large"),
        (frame(b"x", 3), "unknown kind 3"),
        (frame(b"x", 15), "unknown kind 15"),
    ],
)
def test_hostile_frames_are_an_error(ends: tuple[WebSocket, Peer], raw: bytes, message: str) -> None:
    client, peer = ends
    peer.raw(raw)
    with pytest.raises(ProtocolError, match=message):
        received(client, 1)


def test_a_message_that_never_ends_is_not_kept_for_ever(ends: tuple[WebSocket, Peer]) -> None:
    client, peer = ends

    def flood() -> None:
        try:
            while True:
                peer.raw(PIECE)
        except OSError:
            return

    threading.Thread(target=flood, daemon=True).start()
    with pytest.raises(ProtocolError, match="too large"):
        received(client, 1)
    peer.hang_up()
