"""Where the log of a process and the output of an attachment to it meet. Pure: bytes in, offsets out.

An attachment delivers what is written from some moment on, which nobody tells; the log has everything from the
beginning, line by line. In the log stdout and stderr are one stream, in the order of their lines, and containerd
leaves out the carriage return that a terminal puts before each newline: all here is without it (`plain`).
"""

from collections import Counter

SAMPLE = 4096


def plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


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
