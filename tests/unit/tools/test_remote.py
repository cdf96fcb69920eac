"""Sessions with a process in a container, against servers new, old, hasty, hostile and gone."""

import json
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scheduler_k3s.tools import pulse, remote
from scheduler_k3s.tools.cluster import ApiError, Cluster
from scheduler_k3s.tools.remote import CLOSE, STDERR, STDIN, STDOUT, Ended
from unit import stream_server
from unit.api_server import serve as serve_api
from unit.stream_server import NEW, OLD, PING, PONG, Peer, frame, serve

POD = "/api/v1/namespaces/n/pods/p"
Output = list[tuple[int, bytes]]


class Feed:
    """Our stdin for the time of a test. `write` is its other end."""

    def __init__(self) -> None:
        ours, self._theirs = os.pipe()
        os.dup2(ours, 0)
        os.close(ours)

    def write(self, data: bytes) -> None:
        os.write(self._theirs, data)

    def end(self) -> None:
        os.close(self._theirs)


@pytest.fixture
def feed() -> Iterator[Feed]:
    before = os.dup(0)
    try:
        yield Feed()
    finally:
        os.dup2(before, 0)
        os.close(before)


def cluster(server: str, directory: Path) -> Cluster:
    named = {"name": "x", "cluster": {"server": server}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    config = {"current-context": "x", "clusters": [named], "contexts": [context], "users": []}
    (directory / "kubeconfig").write_text(json.dumps(config))
    return Cluster.open(str(directory / "kubeconfig"))


def execute(
    script: Callable[[Peer], None],
    directory: Path,
    *,
    tty: bool = False,
    stdin: bool = True,
    protocols: tuple[str, ...] = (NEW, OLD),
) -> tuple[Ended, Output]:
    output: Output = []
    with serve(script, protocols) as server:
        session = remote.execute(cluster(server, directory), POD, "c", ["a b", "&"], tty=tty, stdin=stdin)
        try:
            ended = session.run(lambda channel, data: output.append((channel, data)))
        finally:
            session.close()
    return ended, output


def status(code: int) -> bytes:
    if not code:
        return b'{"status":"Success"}'
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return json.dumps(
        {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    ).encode()


def test_the_command_and_the_streams_are_asked_for_by_word(feed: Feed, tmp_path: Path) -> None:
    targets: list[str] = []

    def script(peer: Peer) -> None:
        targets.append(peer.target)
        peer.send(3, status(0))

    execute(script, tmp_path)
    execute(script, tmp_path, tty=True)
    execute(script, tmp_path, stdin=False)
    words = "container=c&command=a%20b&command=%26"
    assert targets == [
        f"{POD}/exec?{words}&stdin=true&stdout=true&stderr=true",
        f"{POD}/exec?{words}&stdin=true&stdout=true&tty=true",
        f"{POD}/exec?{words}&stdout=true&stderr=true",
    ]


@pytest.mark.parametrize("code", [0, 1, 137, 255])
def test_output_comes_apart_and_the_code_comes_out(feed: Feed, tmp_path: Path, code: int) -> None:
    def script(peer: Peer) -> None:
        peer.send(STDOUT, b"")
        peer.send(STDOUT, b"out \xff\x00\r\n")
        peer.send(STDERR, b"err")
        peer.send(3, status(code))
        peer.send(STDOUT, b"overtaken by the status")

    assert execute(script, tmp_path) == (
        Ended(code),
        [(STDOUT, b"out \xff\x00\r\n"), (STDERR, b"err"), (STDOUT, b"overtaken by the status")],
    )


def test_input_and_its_end_arrive_byte_for_byte(feed: Feed, tmp_path: Path) -> None:
    data = os.urandom(50_000)
    feed.write(data)
    feed.end()
    found: Output = []

    def script(peer: Peer) -> None:
        for channel, piece in peer.input():
            found.append((channel, piece))
            if channel == CLOSE:
                peer.send(3, status(0))
                return

    assert execute(script, tmp_path) == (Ended(0), [])
    assert b"".join(piece for channel, piece in found if channel == STDIN) == data
    assert found[-1] == (CLOSE, bytes([STDIN]))


@pytest.mark.parametrize(("typed", "signs"), [(b"", b"\x04"), (b"line\n", b"\x04"), (b"open", b"\x04\x04")])
def test_the_end_of_input_is_typed_at_a_terminal(
    feed: Feed, tmp_path: Path, typed: bytes, signs: bytes
) -> None:
    """Closing its stream would cut off the output."""
    feed.write(typed)
    feed.end()
    found = b""

    def script(peer: Peer) -> None:
        nonlocal found
        for channel, data in peer.input():
            found += data if channel == STDIN else b""
            if found.endswith(signs):
                peer.send(3, status(0))
                return

    assert execute(script, tmp_path, tty=True)[0] == Ended(0)
    assert found == typed + signs


def test_much_goes_both_ways_at_once(feed: Feed, tmp_path: Path) -> None:
    """The peer takes no input before all its output is gone: whoever waits for one side alone would hang."""
    sent = os.urandom(3_000_000)

    def write() -> None:
        feed.write(sent)
        feed.end()

    def script(peer: Peer) -> None:
        for _ in range(100):
            peer.send(STDOUT, b"x" * 50_000)
        data = b""
        for channel, piece in peer.input():
            if channel == CLOSE:
                break
            data += piece
        peer.send(STDOUT, b"same" if data == sent else b"other")
        peer.send(3, status(0))

    threading.Thread(target=write, daemon=True).start()
    ended, output = execute(script, tmp_path)
    assert ended == Ended(0)
    assert b"".join(data for _, data in output) == b"x" * 5_000_000 + b"same"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the connection was closed"),
        (frame((1011).to_bytes(2, "big") + b"kubelet went away", 8), "closed: 1011 kubelet went away"),
        (bytes([0x82, 0x81]) + b"keyyx", "the connection broke: the server masks its frames"),
        (frame(b"\x03no json"), "no json"),
        (frame(b'\x03{"status":"Failure","message":"container not found"}'), "container not found"),
    ],
)
def test_a_session_without_result_says_why(feed: Feed, tmp_path: Path, raw: bytes, message: str) -> None:
    ended, output = execute(lambda peer: peer.raw(frame(b"\x01before") + raw), tmp_path)
    assert output == [(STDOUT, b"before")]
    assert ended.code is None
    assert message in ended.message


def test_a_server_that_falls_silent_is_given_up(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers one ping and then nothing, as a machine does whose power is cut."""
    monkeypatch.setattr(pulse, "PING", 0.05)
    monkeypatch.setattr(pulse, "SILENCE", 0.4)
    over = threading.Event()

    def script(peer: Peer) -> None:
        data = peer.receive()[1]
        peer.raw(frame(data, stream_server.PONG))
        over.wait(30)

    ended, _ = _impatient(script, tmp_path)
    over.set()
    assert ended == Ended(None, "the connection broke: no answer for 0.4 s")


def test_input_that_the_process_does_not_read_is_no_silence(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing behind it is read either, pings included."""
    monkeypatch.setattr(pulse, "PING", 0.05)
    monkeypatch.setattr(pulse, "SILENCE", 0.4)

    def script(peer: Peer) -> None:
        data = peer.receive()[1]
        peer.raw(frame(data, stream_server.PONG))
        feed.write(b"input")
        time.sleep(2)
        peer.send(3, status(0))

    assert _impatient(script, tmp_path)[0] == Ended(0)


def _impatient(script: Callable[[Peer], None], directory: Path) -> tuple[Ended, Output]:
    """Execute with turns so short that pings are sent."""
    output: Output = []
    with serve(script) as server:
        session = remote.execute(cluster(server, directory), POD, "c", ["x"], tty=False)
        session.feeding = True
        while session.ended is None:
            session.pump(lambda channel, data: output.append((channel, data)), 0.02)
        session.close()
    return session.ended, output


def test_an_old_server_serves_what_needs_no_end_of_input(feed: Feed, tmp_path: Path) -> None:
    agreed: list[str] = []

    def script(peer: Peer) -> None:
        agreed.append(peer.channels)
        peer.send(STDOUT, b"out")
        peer.send(3, status(5))

    for tty, stdin in ((True, True), (False, False)):
        assert execute(script, tmp_path, tty=tty, stdin=stdin, protocols=(OLD,)) == (
            Ended(5),
            [(STDOUT, b"out")],
        )
    assert agreed == [OLD, OLD]


def test_a_command_whose_input_could_not_end_is_not_started(feed: Feed, tmp_path: Path) -> None:
    started: list[Peer] = []
    with pytest.raises(remote.NoEndOfInput):
        execute(started.append, tmp_path, protocols=(OLD,))
    assert started == []


def test_an_attachment_to_an_old_server_ends_with_the_input(feed: Feed, tmp_path: Path) -> None:
    """The container is told by that: its stdin is open for one attachment."""
    data = os.urandom(50_000)
    feed.write(data)
    feed.end()
    found: Output = []
    with serve(lambda peer: found.extend(peer.input()), (OLD,)) as server:
        session = remote.attach(cluster(server, tmp_path), POD, "c", tty=False, stdin=True)
        ended = session.run(lambda channel, data: None)
        session.close()
    assert ended.code is None
    assert {channel for channel, _ in found} == {STDIN}
    assert b"".join(piece for _, piece in found) == data


@pytest.mark.parametrize("size", [1000, 200_000])
def test_an_attachment_to_an_old_server_lasts_until_the_process_has_its_input(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """What the node holds of the input when an attachment ends is lost as soon as there is output for it."""
    monkeypatch.setattr(remote, "_QUIET", 1.0)
    left_early: list[str] = []
    last: list[int] = []

    def is_silent(peer: Peer, seconds: float, when: str) -> None:
        if select.select([peer.stream], [], [], seconds)[0]:
            left_early.append(when)

    def script(peer: Peer) -> None:
        taken = 0
        while taken < size:
            taken += len(peer.receive()[1]) - 1
        code, data = peer.receive()
        assert code == PING
        is_silent(peer, 0.5, "before the ping was answered")
        peer.raw(frame(data, PONG))
        for number in range(3 if size > 65536 else 0):
            peer.send(STDOUT, b"%d" % number)
            is_silent(peer, 0.5, "while there was output")
        last.append(peer.receive()[0])

    def give() -> None:
        feed.write(bytes(size))
        feed.end()

    with serve(script, (OLD,)) as server:
        session = remote.attach(cluster(server, tmp_path), POD, "c", tty=False, stdin=True)
        threading.Thread(target=give, daemon=True).start()
        session.run(lambda channel, data: None)
        session.close()
    assert (left_early, last) == ([], [stream_server.CLOSE])


def test_a_refusal_by_the_api_is_not_taken_for_age(feed: Feed, tmp_path: Path) -> None:
    with serve_api() as api:
        api.faults.append(lambda *_: (403, "pods exec is forbidden"))
        with pytest.raises(ApiError, match="pods exec is forbidden"):
            remote.execute(Cluster.open(str(api.kubeconfig(tmp_path))), POD, "c", ["x"], tty=False)
        assert len(api.requests) == 1
