"""Where the log and an attachment meet, for every moment at which somebody can attach."""

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import joint

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"long line\n", b"\n"]), max_size=12).map(b"".join)


@given(LINES, st.data())
def test_the_end_of_the_process_tells_for_every_moment_of_attachment(
    text: bytes, data: st.DataObject
) -> None:
    moment = data.draw(st.integers(0, len(text)))
    assert joint.offset(text, text[moment:], b"", ended=True) == moment


@given(LINES, st.data())
def test_a_pause_tells_it_as_soon_as_a_line_has_come(text: bytes, data: st.DataObject) -> None:
    moment = data.draw(st.integers(0, len(text)))
    out = text[moment:] + b"an open line, as a prompt is"
    expected = moment if b"\n" in text[moment:] else len(text)
    assert joint.offset(text, out, b"", ended=False) == expected


def test_what_a_terminal_adds_to_newlines_is_not_in_the_log() -> None:
    assert joint.offset(b"before\none\ntwo\n", b"one\r\ntwo\r\n$ ", b"", ended=False) == len(b"before\n")


def test_lines_of_both_outputs_are_mixed_in_the_log() -> None:
    assert joint.offset(b"x\nout 1\nerr\nout 2\n", b"out 1\nout 2\n", b"err\n", ended=True) == 2


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([b"a\n", b"b\n", b"c\n"])), max_size=12), st.data())
def test_the_same_lines_on_both_outputs_are_no_riddle(
    lines: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    moment = data.draw(st.integers(0, len(lines)))
    log = b"".join(line for _, line in lines)
    out, err = (b"".join(line for is_out, line in lines[moment:] if is_out is kind) for kind in (True, False))
    assert joint.offset(log, out, err, ended=True) == len(b"".join(line for _, line in lines[:moment]))


def test_very_many_lines_on_both_outputs_take_no_time_to_speak_of() -> None:
    """Seconds here are seconds in which a command's output is held back; squares of them would be hours."""
    out, err = (b"".join(b"%d\n" % number for number in range(low, 400_000, 2)) for low in (0, 1))
    both = b"".join(b"%d\n" % number for number in range(400_000))
    assert joint.offset(b"before\n" + both, out, err, ended=True) == len(b"before\n")


def test_a_log_that_lags_behind_tells_nothing() -> None:
    assert joint.offset(b"one\n", b"one\ntwo\n", b"", ended=False) is None
    assert joint.offset(b"one\ntwo\n", b"three\n", b"", ended=False) is None


def test_output_without_a_pause_is_found_by_what_it_says() -> None:
    numbers = b"".join(b"%d\n" % number for number in range(10000))
    assert joint.find(numbers, numbers[1234:40000]) == 1234
    assert joint.find(numbers[:1000], numbers[1234:40000]) is None


def test_output_that_repeats_itself_is_in_no_certain_place() -> None:
    assert joint.find(b"y\n" * 9000, b"y\n" * 5000) == -1


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([b"a\n", b"bb\n", b"ccc\n"])), max_size=12), st.data()
)
def test_what_did_not_come_is_found_at_the_end_of_the_log(
    lines: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    """Each output breaks off somewhere. Which of two equal lines is missing makes no difference."""
    log = b"".join(line for _, line in lines)
    outs = [b"".join(line for is_out, line in lines if is_out is kind) for kind in (True, False)]
    out, err = (text[: data.draw(st.integers(0, len(text)))] for text in outs)
    known = len(out) + len(err)
    found = joint.missing(log, known, out, err)
    assert len(found) == len(log) - known
    assert Counter(out + err + found) == Counter(log)


def test_what_is_missing_of_one_output_is_what_follows() -> None:
    numbers = b"".join(b"%d\n" % number for number in range(10000))
    assert joint.missing(numbers[5000:], 4000, numbers[:9000], b"") == numbers[9000:]
    assert joint.missing(numbers[5000:], 4000, b"", numbers[:9000]) == numbers[9000:]
    assert joint.missing(numbers, len(numbers), b"x\n", numbers) == b""


def test_the_end_of_much_output_is_found_in_the_last_lines_of_the_log() -> None:
    numbers = b"".join(b"%d\n" % number for number in range(10000))
    assert joint.end_of(numbers[20000:], numbers[:40000]) == 20000
    assert joint.end_of(numbers[45000:], numbers[:40000]) is None
    assert joint.end_of(b"y\n" * 9000, b"y\n" * 9000) is None


@given(
    st.lists(st.sampled_from([b"\r", b"\n", b"a"]), max_size=12).map(b"".join), st.lists(st.integers(0, 12))
)
def test_carriage_returns_before_newlines_are_gone_however_the_output_comes(
    text: bytes, cuts: list[int]
) -> None:
    stream, edges = joint.Stream(), sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [stream.take(text[start:end]) for start, end in itertools.pairwise(edges)]
    assert b"".join(pieces) + stream.held == joint.plain(text)
    assert b"\r\n" not in joint.plain(text)
