"""Where the log of a process and the output of an attachment to it meet. Pure: bytes in, offsets out.

An attachment delivers what is written from some moment on, which nobody tells; the log has everything from the
beginning, line by line. In the log stdout and stderr are one stream, in the order of their lines, and containerd
leaves out one carriage return before each newline, as a terminal puts there: all here is without any (`plain`).
"""

import re
from collections import Counter

SAMPLE = 4096
_RETURNS = re.compile(rb"\r+\n")


def plain(data: bytes) -> bytes:
    return _RETURNS.sub(b"\n", data) if b"\r\n" in data else data


class Stream:
    """Makes plain what comes in pieces. `held` is what the next piece decides about."""

    def __init__(self) -> None:
        self.held = b""

    def take(self, piece: bytes) -> bytes:
        data = self.held + piece if self.held else piece
        end = len(data.rstrip(b"\r")) if data.endswith(b"\r") else len(data)
        self.held = data[end:]
        return plain(data[:end])


def offset(log: bytes, out: bytes, err: bytes, ended: bool) -> int | None:
    """How many bytes of the log came before the attachment; None when they cannot be told (yet).

    While neither grows, both hold all lines that are complete, so the difference of their sizes is the answer, and
    the contents confirm it. After the process has `ended`, lines need not be complete.
    """
    if not ended:
        out, err = _lines(out), _lines(err)
    out, err = plain(out), plain(err)
    start = len(log) - len(out) - len(err)
    return start if start >= 0 and _is_mixture(log[start:], out, err) else None


def find(log: bytes, out: bytes) -> int | None:
    """The same for output that does not pause: the one place in the log where it is.

    None when it is not there (yet), -1 when it is in several places.
    """
    sample = plain(out[:SAMPLE])
    first = log.find(sample)
    if first < 0:
        return None
    return first if log.find(sample, first + 1) < 0 else -1


def end_of(log: bytes, out: bytes) -> int | None:
    """Where in the end of a log the output ends, None when that is not certain."""
    sample = out[-SAMPLE:]
    first = log.find(sample)
    return first + len(sample) if first >= 0 and log.find(sample, first + 1) < 0 else None


def missing(log: bytes, known: int, out: bytes, err: bytes) -> bytes:
    """What of the end of a log is not in the ends of the two outputs, although `known` bytes of it are there.

    `out` and `err` reach back as far as the log. An output breaks off anywhere, also in the middle of a line.
    """
    if len(log) <= known:
        return b""
    if not (out and err) and log.startswith((out + err)[-known:] if known else b""):
        return log[known:]
    printed = Counter((*out.splitlines(keepends=True), *err.splitlines(keepends=True)))
    opens = [end for end in (_open(out), _open(err)) if end]
    left: list[bytes] = []
    for line in log.splitlines(keepends=True):
        begun = next((end for end in opens if line.startswith(end)), None)
        if printed[line]:
            printed[line] -= 1
        elif begun:
            opens.remove(begun)
            left.append(line[len(begun) :])
        else:
            left.append(line)
    return b"".join(left)[-(len(log) - known) :]


def _open(data: bytes) -> bytes:
    return data[data.rfind(b"\n") + 1 :]


def _lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _is_mixture(log: bytes, out: bytes, err: bytes) -> bool:
    """Whether the log, of the size of both together, can be both. Which line came first cannot be told."""
    if not err or not out:
        return log == out + err
    lasts = out[out.rfind(b"\n", 0, -1) + 1 :], err[err.rfind(b"\n", 0, -1) + 1 :]
    same = Counter(log) == Counter(out) + Counter(err)
    # an open line of one may be followed by the other's
    return same and (log.endswith(lasts) or not all(last.endswith(b"\n") for last in lasts))
