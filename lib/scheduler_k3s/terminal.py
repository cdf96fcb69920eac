"""Our own standard streams towards a process in a container: is there a terminal, how large, raw or not."""

import contextlib
import fcntl
import os
import select
import stat
import struct
import sys
import termios
import tty
from collections.abc import Iterator


def wanted() -> bool:
    """Whether the process is to have a terminal: ours, unless dokku was told otherwise."""
    if os.environ.get("DOKKU_FORCE_TTY") == "true":
        return True
    return os.environ.get("DOKKU_DISABLE_TTY") != "true" and os.isatty(1)


def has_input() -> bool:
    """Whether anything could ever be read from stdin: /dev/null and other devices have nothing to say."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return os.isatty(0) or not stat.S_ISCHR(mode)


def size() -> tuple[int, int] | None:
    """Columns and rows of our terminal; None when there is none."""
    for descriptor in (1, 0, 2):
        try:
            packed = fcntl.ioctl(descriptor, termios.TIOCGWINSZ, b"\0" * 8)
        except OSError:
            continue
        rows, columns, _, _ = struct.unpack("HHHH", packed)
        if rows and columns:
            return columns, rows
    return None


def write(descriptor: int, data: bytes) -> None:
    """All of it, whether or not whoever gave us the descriptor has made it non-blocking. Errors: OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """Keys go to the process as they are, ^C included; the terminal is as before afterwards."""
    if not os.isatty(0):
        yield
        return
    sys.stdout.flush()
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
