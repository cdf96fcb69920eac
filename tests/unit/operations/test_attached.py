"""Output of a process that an attachment brings in part: from some moment on, not to its end, or not at all."""

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scheduler_k3s.oneoff import Result
from scheduler_k3s.operations import attached
from scheduler_k3s.operations.run_pod import RunPod
from scheduler_k3s.tools.cluster import Cluster
from unit.stream_server import Peer, frame, serve

DONE = frame(b'\x03{"status":"Success"}')
NUMBERS = b"".join(b"%06d\n" % number for number in range(40_000))
SAME = b"y\n" * 100_000
ZEROS = bytes(250_000)


class Stage(RunPod):
    """A pod whose container runs; it has ended once `over` is set."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, "n", "job")
        status = {"name": "c", "containerID": "c://1", "state": {"running": {}}}
        self.pod = {
            "metadata": {"name": "p"},
            "spec": {"nodeName": "node", "containers": [{"name": "c"}]},
            "status": {"phase": "Running", "containerStatuses": [status]},
        }
        self.over = threading.Event()

    @property
    def result(self) -> Result | None:
        return Result(0) if self.over.is_set() else None

    def wait(self, seconds: float) -> None:
        self.over.wait(seconds)


class World:
    """`log` is what the node has."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = b""
        self.attachments = 0
        self.stage: Stage | None = None

    def converse(self, *pieces: bytes | Callable[[], None], tty: bool = False) -> None:
        """The attachment brings the pieces; then its connection ends, and the process with it."""

        def script(peer: Peer) -> None:
            self.attachments += 1
            for piece in pieces:
                if isinstance(piece, bytes):
                    peer.raw(piece)
                else:
                    piece()
            assert self.stage is not None
            self.stage.over.set()

        with serve(script, log=self._answer) as server:
            named = {"name": "x", "cluster": {"server": server}}
            context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
            config = {"current-context": "x", "clusters": [named], "contexts": [context], "users": []}
            path = self.directory / "kubeconfig"
            path.write_text(json.dumps(config))
            self.stage = Stage(Cluster.open(str(path)))
            attached.converse(self.stage, tty=tty, stdin=False)

    def _answer(self, target: str) -> bytes:
        lines = re.search(r"tailLines=(\d+)", target)
        return b"".join(self.log.splitlines(keepends=True)[-int(lines[1]) :]) if lines else self.log


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path)


def out(data: bytes, channel: int = 1) -> bytes:
    """As frames of the size that servers send."""
    pieces = (data[at : at + 32_000] for at in range(0, len(data), 32_000))
    return b"".join(frame(bytes([channel]) + piece) for piece in pieces)


def halves(data: bytes) -> tuple[bytes, bytes]:
    """Every third line, and the others."""
    lines = data.splitlines(keepends=True)
    return b"".join(lines[::3]), b"".join(line for number, line in enumerate(lines) if number % 3)


@pytest.mark.parametrize("text", [NUMBERS, SAME, ZEROS, b"no newline", b""])
@pytest.mark.parametrize(("early", "lost"), [(0, 0), (7, 0), (0, 13), (60_001, 70_003), (1 << 20, 0)])
def test_all_of_it_is_printed_once_whatever_the_attachment_brings(
    world: World, capfdbinary: pytest.CaptureFixture[bytes], text: bytes, early: int, lost: int
) -> None:
    """`early` bytes were written before it, the last `lost` did not come."""
    world.log = text
    world.converse(out(text[early : max(early, len(text) - lost)]) + DONE)
    assert capfdbinary.readouterr() == (text, b"")


def test_a_connection_that_is_cut_is_no_end(world: World, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    world.log = NUMBERS
    world.converse(out(NUMBERS[500:100_000]) + b"\x82")
    assert capfdbinary.readouterr() == (NUMBERS, b"")


def test_two_streams_stay_apart_and_what_was_lost_of_them_comes_from_the_log(
    world: World, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    outs, errs = halves(NUMBERS)
    world.log = NUMBERS
    world.converse(out(outs) + out(errs, 2) + DONE)
    assert capfdbinary.readouterr() == (outs, errs)

    def pause() -> None:
        time.sleep(0.5)
        world.log = NUMBERS

    world.log = NUMBERS[:210]
    first_out, first_err = halves(world.log)
    rest_out, rest_err = outs[len(first_out) : -1000], errs[len(first_err) : -40_003]
    world.converse(out(first_out) + out(first_err, 2), pause, out(rest_out) + out(rest_err, 2) + DONE)
    output, errors = capfdbinary.readouterr()
    assert (output[: len(outs) - 1000], errors) == (outs[:-1000], errs[:-40_003])
    assert Counter(output + errors) == Counter(NUMBERS)


def test_a_terminal_gets_its_carriage_returns(
    world: World, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Also where they come from the log, which has none."""
    shown = NUMBERS.replace(b"\n", b"\r\n")
    world.log = NUMBERS
    world.converse(out(shown[8_000:200_000]) + DONE, tty=True)
    assert capfdbinary.readouterr() == (shown, b"")
    # a file with carriage returns of its own: the node takes one of two away
    shown = NUMBERS.replace(b"\n", b"\r\r\n")
    world.log = NUMBERS.replace(b"\n", b"\r\n")
    world.converse(out(shown[:200_000]) + DONE, tty=True)
    assert capfdbinary.readouterr().out.replace(b"\r", b"") == NUMBERS


@pytest.mark.parametrize("numbered", [True, False])
def test_much_output_is_completed_too(
    world: World, capfdbinary: pytest.CaptureFixture[bytes], numbered: bool
) -> None:
    """Its end is looked for in the last lines of the log, or where all lines are alike in all of it."""
    text = b"".join(b"%07d %s\n" % (number * numbered, b"x" * 991) for number in range(10_000))
    world.log = text
    world.converse(out(text[5:-30_000]) + DONE)
    output, errors = capfdbinary.readouterr()
    assert errors == b""
    assert output == text


def test_binary_output_comes_as_it_is(world: World, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    world.log = os.urandom(300_000).replace(b"\r\n", b"  ")
    world.converse(out(world.log[1000:-1000]) + DONE)
    assert capfdbinary.readouterr() == (world.log, b"")
