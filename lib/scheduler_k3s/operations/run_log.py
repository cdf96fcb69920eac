"""The log of a one-off process' pod, read for what no attachment brings."""

import threading
import time
from collections.abc import Callable

from scheduler_k3s import joint, pods
from scheduler_k3s.lines import OutputClosed
from scheduler_k3s.operations.run_output import TAIL, Printed
from scheduler_k3s.operations.run_pod import RunPod
from scheduler_k3s.tools.cluster import ApiError, Unreachable

LARGEST = 32 * 1024 * 1024
_LARGE = 8 * 1024 * 1024
_LAST_LINES = 2000
_CHUNK = 256 * 1024
_AGAIN = 0.05
_DRAINED = 0.05


def follow(run: RunPod, printed: Printed) -> None:
    """Print what the log has beyond what is printed, until the process has ended.

    The kubelet notices the end of a followed log up to a second late: the pod's state tells earlier.
    """
    while run.result is None and (run.pod is None or not pods.instance(run.pod)):
        run.check_start()
        run.wait(0.5)
    if run.result is None:
        reader = _Reader(run, printed)
        while run.result is None and printed.failure is None:
            run.wait(0.5)
        reader.stop()
    if printed.failure is not None:
        raise OutputClosed(printed.failure)
    rest(run, printed)


class _Reader:
    """Follows the log in a thread of its own."""

    def __init__(self, run: RunPod, printed: Printed) -> None:
        self._run = run
        self._printed = printed
        self._turn = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let it print as long as there is something to print; nothing is printed afterwards."""
        before = -1
        while self._thread.is_alive() and before != self._printed.size:
            before = self._printed.size
            self._thread.join(_DRAINED)
        with self._turn:
            self._stopped = True

    def _work(self) -> None:
        while not self._stopped:
            try:
                _copy(self._run, self._printed.size, self._print, follow="true")
            except OutputClosed:
                return
            except (ApiError, Unreachable, OSError):
                pass
            if self._run.result is not None:
                return
            time.sleep(_AGAIN)

    def _print(self, data: bytes) -> bool:
        with self._turn:
            if not self._stopped:
                self._printed.logged(data)
            return not self._stopped


def _copy(run: RunPod, skip: int, take: Callable[[bytes], bool], **query: str | int) -> None:
    """One reading of the log without its first `skip` bytes. `take` says whether to go on."""
    pod = run.pod
    assert pod is not None
    silence = None if "follow" in query else 30.0
    with run.cluster.copy().stream(
        f"{run.path}/log", silence, container=pods.container(pod), **query
    ) as answer:
        stream, is_over = joint.Stream(), False
        while not is_over:
            piece = answer.read1(_CHUNK)
            is_over = not piece
            data = stream.take(piece) if piece else stream.held
            if skip >= len(data):
                skip -= len(data)
            elif take(data[skip:]):
                skip = 0
            else:
                return


def rest(run: RunPod, printed: Printed) -> None:
    """What a process that has ended wrote beyond what is printed, of which the log has the beginning."""

    def take(data: bytes) -> bool:
        printed.logged(data)
        return True

    _read(run, lambda: _copy(run, printed.size, take))


def complete(run: RunPod, printed: Printed) -> None:
    """The same after an attachment, which may have brought two streams whose order only the log knows."""
    out, err = (joint.plain(bytes(tail[-TAIL:])) for tail in printed.tails.values())
    region = bytearray()

    def take(data: bytes) -> bool:
        region.extend(data)
        return len(region) < LARGEST

    def read(skip: int, **query: str | int) -> None:
        region.clear()
        _copy(run, skip, take, **query)

    if printed.size > _LARGE and not err:
        # a second reading of all of it would take as long again
        _read(run, lambda: read(0, tailLines=_LAST_LINES))
        size = joint.end_of(bytes(region), out)
        if size is not None:
            printed.logged(bytes(region[size:]))
            return
    known = min(len(out) + len(err), TAIL)
    _read(run, lambda: read(printed.size - known))
    printed.logged(joint.missing(bytes(region), known, out, err))


def _read(run: RunPod, copy: Callable[[], None]) -> None:
    """Try a reading of the log of a process that has ended."""
    if run.pod is None or not pods.instance(run.pod):
        return
    for _ in range(3):
        try:
            copy()
            return
        except ApiError:
            return  # the node has forgotten the container, or never started it
        except (Unreachable, OSError):
            time.sleep(_AGAIN)


def whole(run: RunPod) -> bytes | None:
    """All of the log; None while the node has none to give."""
    pod = run.pod
    assert pod is not None
    try:
        with run.cluster.copy().stream(f"{run.path}/log", 30.0, container=pods.container(pod)) as answer:
            return joint.plain(answer.read())
    except (ApiError, Unreachable, OSError):
        return None
