"""The input and output of a one-off process, from its first byte to its last, each once.

A process starts before anybody can attach to it, and an attachment does not replay: what came before is only in the
pod's log. The log in turn has no open lines (a prompt), knows stdout and stderr as one stream, and loses what is
rotated away before it is read. So:

- We attach as soon as there is a container, again and again until it works, and hold what comes back until a pause
  in it; then the log is read, and `joint` tells from sizes and contents how much of it came before the attachment.
  That is printed (on stdout), then what was held, and from there on the attachment alone.
- Input is read once the log shows that the container runs: an attachment that failed has swallowed none.
- Output that neither pauses nor differs from place to place cannot be joined: then it is the log that is followed,
  and the attachment is only for input.
- An attachment to a process that writes until it ends may lose the last of it on its way through the API server:
  what the log has beyond what came is printed at the end.

What remains: an open line from before the attachment is shown with the line's end, or not at all when input comes
first. A terminal is therefore told its size twice, at which shells draw their prompt again.
"""

import threading
import time
from collections.abc import Callable

from scheduler_k3s import joint, pods, terminal
from scheduler_k3s.lines import OutputClosed
from scheduler_k3s.operations.run_pod import RunPod
from scheduler_k3s.tools import remote
from scheduler_k3s.tools.cluster import ApiError, Unreachable
from scheduler_k3s.tools.remote import STDERR, STDOUT, Session

PAUSE = 0.05
"""Seconds without output after which the log and the attachment are compared."""
ENOUGH = 64 * 1024
"""Held bytes from which on the place of the output in the log is searched for."""
_PATIENCE = 3.0
_AGAIN = 0.02
_SLOWLY = 0.1
_TIGHT = 5.0
TAIL = 256 * 1024
"""Bytes of each stream that are remembered to find, at the end, what did not come."""
_LARGE = 8 * 1024 * 1024
_LAST_LINES = 2000
_CHUNK = 256 * 1024
_LARGEST = 32 * 1024 * 1024
_LOOK = 0.3
_DRAINED = 0.05


class _Printed:
    """What has been written to our streams: `size` is counted as in the log. `failure` is why one takes no more.

    `tails` is the last of what came on each stream, as in the log.
    """

    def __init__(self, tty: bool) -> None:
        self.tails = {STDOUT: bytearray(), STDERR: bytearray()}
        self.failure: OSError | None = None
        self._newline = b"\r\n" if tty else b"\n"
        self._size = 0
        self._streams = {STDOUT: joint.Stream(), STDERR: joint.Stream()}

    @property
    def size(self) -> int:
        return self._size + sum(len(stream.held) for stream in self._streams.values())

    def __call__(self, channel: int, data: bytes) -> None:
        """Output as the process wrote it."""
        self._write(2 if channel == STDERR else 1, data)
        self._size += len(self._streams[channel].take(data))
        self._note(channel, data)

    def logged(self, data: bytes) -> None:
        """Output as the log has it."""
        self._write(1, data.replace(b"\n", self._newline))
        self._size += len(data)
        self._note(STDOUT, data)

    def _note(self, channel: int, data: bytes) -> None:
        tail = self.tails[channel]
        tail += data[-TAIL:]
        if len(tail) > 2 * TAIL:
            del tail[:-TAIL]

    def _write(self, descriptor: int, data: bytes) -> None:
        try:
            terminal.write(descriptor, data)
        except OSError as error:
            self.failure = error
            raise OutputClosed(error) from None


class _Held:
    """Output that is kept back until it is known what came before."""

    def __init__(self) -> None:
        self.streams = {STDOUT: bytearray(), STDERR: bytearray()}

    def __call__(self, channel: int, data: bytes) -> None:
        self.streams[channel] += data

    @property
    def size(self) -> int:
        return sum(map(len, self.streams.values()))

    def offset(self, log: bytes, ended: bool) -> int | None:
        return joint.offset(log, bytes(self.streams[STDOUT]), bytes(self.streams[STDERR]), ended)

    def place(self, log: bytes) -> int | None:
        """The same from what the beginning says, for one stream alone: two are mixed in the log."""
        found = [bytes(data[: 2 * joint.SAMPLE]) for data in self.streams.values() if data]
        return joint.find(log, found[0]) if len(found) == 1 else None


def converse(run: RunPod, *, tty: bool, stdin: bool) -> None:
    """Join our streams with those of the process until it ends. Errors: OutputClosed."""
    began = 0.0
    while run.result is None:
        run.check_start()
        pod = run.pod
        if pod is None or not pod["spec"].get("nodeName"):
            run.wait(0.2)
            continue
        began = began or time.monotonic()
        session = _attached(run, pod, tty=tty, stdin=stdin)
        if session is not None:
            try:
                with session.terminal():
                    if _serve(run, session, _Printed(tty)):
                        return
            finally:
                session.close()
        # an image that takes long to pull must not be paid for with hundreds of requests
        run.wait(_AGAIN if time.monotonic() - began < _TIGHT else _SLOWLY)
    _rest(run, _Printed(tty))


def _attached(run: RunPod, pod: pods.Pod, *, tty: bool, stdin: bool) -> Session | None:
    """None when there is nothing to attach to yet."""
    try:
        return remote.attach(run.cluster, run.path, pods.container(pod), tty=tty, stdin=stdin)
    except ApiError as error:
        if error.code in (401, 403):
            raise
        return None


def _serve(run: RunPod, session: Session, printed: _Printed) -> bool:
    """False when the attachment came to nothing, having taken and printed nothing."""
    held = _Held()
    start = _join(run, session, held, printed)
    if start is None:
        if session.ended is not None and session.ended.code is None and not (held.size or printed.size):
            return False
        _beside(run, session, printed)
        return True
    printed.logged(start)
    for channel, data in held.streams.items():
        printed(channel, bytes(data))
    ended = session.run(printed)
    if ended.code is None:
        # the connection was lost, not the process: the log has the rest
        _follow(run, printed)
    else:
        run.until_ended()
        _complete(run, printed)
    return True


def _join(run: RunPod, session: Session, held: _Held, printed: _Printed) -> bytes | None:
    """What came before that which is held, and is not printed yet; None when that cannot be told.

    As long as nothing is held, whole lines of the log are printed: they came before.
    """
    deadline = 0.0
    while True:
        _settle(session, held)
        if session.ended is not None and session.ended.code is None:
            return None
        ended = session.ended is not None
        if ended:
            run.until_ended()
        before = held.size
        log = _log_beside(run, session, held)
        if log is None:
            run.check_start()
            if ended:
                return b""
            continue
        size = held.offset(log, ended) if ended or held.size == before else None
        if size is None and (ended or held.size >= ENOUGH):
            size = held.place(log)
        if size is not None and size >= printed.size:
            if held.size or ended:
                return log[printed.size : size]
            printed.logged(log[printed.size :])
            _listen(run, session, held)
            deadline = 0.0
            continue
        deadline = deadline or time.monotonic() + _PATIENCE
        if ended or time.monotonic() > deadline or held.size >= _LARGEST:
            return None


def _settle(session: Session, held: _Held) -> None:
    """Hold what comes until a pause, or for a moment of a flood.

    A process that ends while nobody takes its output loses some of it: nothing is left waiting, up to a limit.
    """
    until = time.monotonic() + _LOOK
    while held.size < _LARGEST and session.ended is None and session.pump(held, PAUSE):
        if held.size >= ENOUGH and time.monotonic() > until:
            return


def _log_beside(run: RunPod, session: Session, held: _Held) -> bytes | None:
    """The log, read while output is taken all the time."""
    found: list[bytes | None] = []
    thread = threading.Thread(target=lambda: found.append(_log(run)), daemon=True)
    thread.start()
    while thread.is_alive():
        if session.ended is None and held.size < _LARGEST:
            session.pump(held, 0.005)
        else:
            thread.join(0.1)
    return found[0] if found else None


def _listen(run: RunPod, session: Session, held: _Held) -> None:
    """The container runs and is silent: from now on it may get input, until there is output."""
    if not session.feeding:
        session.feeding = True
        session.resize()
    while session.ended is None and run.result is None and not session.pump(held, 1.0):
        pass


def _beside(run: RunPod, session: Session, printed: _Printed) -> None:
    """Input by the attachment, whose output is dropped, and output by the log."""
    done = threading.Event()

    def drop(channel: int, data: bytes) -> None:
        del channel, data

    def serve() -> None:
        while session.ended is None and not done.is_set():
            session.pump(drop, 0.2)

    session.feeding = True
    session.resize()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        _follow(run, printed)
    finally:
        done.set()
        thread.join()


def _follow(run: RunPod, printed: _Printed) -> None:
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
    _rest(run, printed)


class _Reader:
    """Follows the log in a thread of its own."""

    def __init__(self, run: RunPod, printed: _Printed) -> None:
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
            time.sleep(PAUSE)

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


def _rest(run: RunPod, printed: _Printed) -> None:
    """What a process that has ended wrote beyond what is printed, of which the log has the beginning."""

    def take(data: bytes) -> bool:
        printed.logged(data)
        return True

    _read(run, lambda: _copy(run, printed.size, take))


def _complete(run: RunPod, printed: _Printed) -> None:
    """The same after an attachment, which may have brought two streams whose order only the log knows."""
    out, err = (joint.plain(bytes(tail[-TAIL:])) for tail in printed.tails.values())
    region = bytearray()

    def take(data: bytes) -> bool:
        region.extend(data)
        return len(region) < _LARGEST

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
            time.sleep(PAUSE)


def _log(run: RunPod) -> bytes | None:
    """All of the log; None while the node has none to give."""
    pod = run.pod
    assert pod is not None
    try:
        with run.cluster.copy().stream(f"{run.path}/log", 30.0, container=pods.container(pod)) as answer:
            return joint.plain(answer.read())
    except (ApiError, Unreachable, OSError):
        return None
