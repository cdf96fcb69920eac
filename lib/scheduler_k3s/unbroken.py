"""Steps that a signal may not part, such as starting a program and keeping hold of it: it is raised after them."""

import _thread
import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


_MAIN = _thread.get_ident()


class _Held:
    depth = 0
    error: "BaseException | None" = None


@contextlib.contextmanager
def unbroken() -> "Iterator[None]":
    """Within, what `interrupt` is to raise waits. Only the main thread is interrupted by signals at all."""
    if _thread.get_ident() != _MAIN:
        yield
        return
    _Held.depth += 1
    try:
        yield
    finally:
        _Held.depth -= 1
        error = None if _Held.depth else _Held.error
        if error is not None:
            _Held.error = None
            raise error


def interrupt(error: BaseException) -> None:
    """Raise the error now or, within `unbroken` steps, after them. For handlers of signals."""
    if not _Held.depth:
        raise error
    _Held.error = error
