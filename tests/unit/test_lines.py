"""Logs come in chunks cut anywhere, over connections that break anywhere; whole lines have to come out, once."""

import os
import threading
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import lines
from scheduler_k3s.lines import Output, OutputClosed, Plain, Stamped

PREFIX = b"app[web-1]: "
CONTENT = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b""))
CUTS = st.lists(st.integers(min_value=1, max_value=30), min_size=1, max_size=20)


class Pipe:
    """What has been written, read by a thread, since a pipe holds only 64 KiB."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        self.output = Output(writer)
        self._writer = writer
        self._data = bytearray()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while data := os.read(self._reader, 65536):
            self._data += data

    def close(self) -> bytes:
        os.close(self._writer)
        self._thread.join()
        os.close(self._reader)
        return bytes(self._data)


def chunks(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    position = number = 0
    while position < len(data):
        size = cuts[number % len(cuts)]
        yield data[position : position + size]
        position, number = position + size, number + 1


@given(content=st.lists(CONTENT, max_size=20), ends=st.booleans(), cuts=CUTS)
def test_plain_lines_get_the_prefix_and_stay_as_they_are(
    content: list[bytes], ends: bool, cuts: list[int]
) -> None:
    data = b"\n".join(content) + (b"\n" if ends and content else b"")
    pipe = Pipe()
    log = Plain(pipe.output, PREFIX)
    for chunk in chunks(data, cuts):
        log.take(chunk)
    log.finish()
    expected = data.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert pipe.close() == b"".join(PREFIX + line + b"\n" for line in expected)


@pytest.mark.parametrize("longest", [40, 64, 1 << 20])
@given(data=st.data())
def test_a_followed_log_comes_out_once_however_often_the_connection_breaks(
    longest: int, data: st.DataObject
) -> None:
    """Stamps repeat, lines repeat, and connections end in the middle of stamps, of lines, and between them."""
    contents = data.draw(
        st.lists(st.sampled_from([b"", b"x", b"tick", b"y" * 100, b"\xff\xfe \r"]), max_size=12)
    )
    steps = data.draw(
        st.lists(st.sampled_from([0, 0, 1, 10**9]), min_size=len(contents), max_size=len(contents))
    )
    log, moment = [], 0
    for content, step in zip(contents, steps, strict=True):
        moment += step
        log.append((f"2026-01-01T00:00:{moment // 10**9:02}.{moment % 10**9:09}Z", content))
    pipe = Pipe()
    followed = Stamped(pipe.output, PREFIX)
    before, lines.LONGEST = lines.LONGEST, longest
    try:
        for lifetime in [*data.draw(st.lists(st.integers(0, 400), max_size=5)), 1 << 20]:
            since = followed.since[:19]
            sent = b"".join(b"%s %s\n" % (at.encode(), content) for at, content in log if at[:19] >= since)
            for chunk in chunks(sent[:lifetime], data.draw(CUTS)):
                followed.take(chunk)
            if lifetime < len(sent):
                followed.resume()
            else:
                break
        followed.finish()
    finally:
        lines.LONGEST = before
        written = pipe.close()
    assert written == b"".join(PREFIX + content + b"\n" for content in contents)


def test_a_last_line_without_newline_gets_one() -> None:
    pipe = Pipe()
    followed = Stamped(pipe.output, b"")
    followed.take(b"2026-01-01T00:00:00.000000001Z one\n2026-01-01T00:00:00.000000002Z tw")
    followed.take(b"o")
    followed.finish()
    assert pipe.close() == b"one\ntwo\n"


def test_what_the_kubelet_says_without_a_stamp_is_kept() -> None:
    pipe = Pipe()
    followed = Stamped(pipe.output, PREFIX)
    followed.take(b"2026-01-01T00:00:00.5+02:00 one\nrpc error: code = Unknown\n")
    followed.finish()
    assert pipe.close() == PREFIX + b"one\nrpc error: code = Unknown\n"


def test_a_new_container_begins_again_with_older_stamps() -> None:
    pipe = Pipe()
    followed = Stamped(pipe.output, b"")
    followed.take(b"2026-01-01T00:00:09.000000001Z first run\n")
    followed.restart()
    followed.take(b"2026-01-01T00:00:01.000000001Z second run\n")
    followed.finish()
    assert pipe.close() == b"first run\nsecond run\n"


def test_an_endless_line_does_not_hold_up_the_others_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut when another log has to go on, and continues as a line of its own."""
    monkeypatch.setattr(lines, "LONGEST", 40)
    monkeypatch.setattr(lines, "STALL", 0.05)
    pipe = Pipe()
    endless, other = Stamped(pipe.output, b"a: "), Stamped(pipe.output, b"b: ")
    endless.take(b"2026-01-01T00:00:00.000000001Z progress 1 2 3")
    other.take(b"2026-01-01T00:00:00.000000001Z line\n")
    endless.take(b" 4\n")
    assert pipe.close() == b"a: progress 1 2 3\nb: line\na:  4\n"


def test_long_lines_of_several_logs_are_never_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    pipe = Pipe()
    letters = b"abcdefgh"

    def write(letter: bytes) -> None:
        followed = Stamped(pipe.output, letter + b": ")
        line = b"2026-01-01T00:00:00.000000001Z " + letter * 50_000 + b"\n"
        for chunk in chunks(line * 5, [700, 3000]):
            followed.take(chunk)
        followed.finish()

    threads = [threading.Thread(target=write, args=(letters[i : i + 1],)) for i in range(len(letters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = pipe.close().split(b"\n")[:-1]
    assert sorted(written) == sorted(
        b"%c: " % letter + bytes([letter]) * 50_000 for letter in letters for _ in range(5)
    )


def test_a_closed_reader_is_told_apart_from_a_broken_connection() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(OutputClosed) as caught:
        Plain(Output(writer), b"").take(b"x\n")
    os.close(writer)
    assert isinstance(caught.value.error, BrokenPipeError)
    assert not isinstance(caught.value, OSError)


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    received = bytearray()

    def read() -> None:
        while data := os.read(reader, 4096):
            received.extend(data)

    thread = threading.Thread(target=read)
    thread.start()
    Plain(Output(writer), b"").take(b"z" * 1_000_000 + b"\n")
    os.close(writer)
    thread.join()
    os.close(reader)
    assert received == b"z" * 1_000_000 + b"\n"
