"""The HTTP client against raw bytes: answers cut anywhere, answers that lie, peers that hang up."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s.tools.http1 import Connection, ProtocolError, Response

PIECES = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


def answer(raw: bytes, cut: int = 1 << 20) -> Response:
    """The client's view of a peer that sends these bytes, in packets of `cut`, and hangs up."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs:
            theirs.recv(65536)
            for start in range(0, len(raw), cut):
                theirs.sendall(raw[start : start + cut])

    threading.Thread(target=send, daemon=True).start()
    return Connection(ours, "example").request("GET", "/", {})


def chunked(pieces: list[bytes]) -> bytes:
    body = b"".join(b"%X;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + body + b"0\r\nTrailer: 1\r\n\r\n"


@given(pieces=PIECES, cut=st.integers(1, 400))
def test_a_chunked_body_arrives_whole(pieces: list[bytes], cut: int) -> None:
    assert answer(chunked(pieces), cut).read() == b"".join(pieces)


@given(pieces=PIECES.filter(bool), missing=st.integers(1, 200))
def test_a_body_that_breaks_off_is_an_error_and_never_an_end(pieces: list[bytes], missing: int) -> None:
    raw = chunked(pieces)
    body = raw.index(b"\r\n\r\n") + 4
    with pytest.raises(ProtocolError):
        answer(raw[: max(body, len(raw) - missing)]).read()


def test_a_body_of_known_length_ends_there_and_leaves_the_connection_open() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none" * 2)
    connection = Connection(ours, "example")
    for _ in range(2):
        assert connection.request("GET", "/", {}).read() == b"one"
        assert connection.reusable
    connection.close()
    theirs.close()


def test_a_body_without_length_ends_with_the_connection() -> None:
    assert answer(b"HTTP/1.0 200 OK\r\n\r\nall of it").read() == b"all of it"


def test_a_short_body_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").read()


def test_interim_answers_are_passed_over() -> None:
    response = answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
    assert (response.status, response.read()) == (204, b"")


@given(pieces=st.lists(st.sampled_from([b"a", b"\n", b"long" * 20, b"b\nc\n"]), max_size=10))
def test_lines_do_not_depend_on_chunks(pieces: list[bytes]) -> None:
    lines = b"".join(pieces).split(b"\n")
    assert list(answer(chunked(pieces))) == (lines if lines[-1] else lines[:-1])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(500)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_http_is_an_error(raw: bytes) -> None:
    with pytest.raises(OSError, match=r"answer|peer"):
        answer(raw).read()


@pytest.mark.parametrize(
    ("target", "value"), [("/a b", "x"), ("/a\r\nHost: evil", "x"), ("/", "x\r\nEvil: 1"), ("/\u00e9", "x")]
)
def test_nothing_can_be_smuggled_into_a_request(target: str, value: str) -> None:
    ours, theirs = socket.socketpair()
    connection = Connection(ours, "example")
    with pytest.raises(ProtocolError) as caught:
        connection.request("GET", target, {"Authorization": value})
    assert "Evil" not in str(caught.value)
    connection.close()
    assert theirs.recv(100) == b""
    theirs.close()
