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

from scheduler_k3s import pods
from scheduler_k3s.operations import run_log
from scheduler_k3s.operations.run_log import LARGEST
from scheduler_k3s.operations.run_output import Held, Printed
from scheduler_k3s.operations.run_pod import RunPod
from scheduler_k3s.tools import remote
from scheduler_k3s.tools.cluster import ApiError, Unreachable
from scheduler_k3s.tools.remote import Session

PAUSE = 0.05
"""Seconds without output after which the log and the attachment are compared."""
ENOUGH = 64 * 1024
"""Held bytes from which on the place of the output in the log is searched for."""
_PATIENCE = 3.0
_AGAIN = 0.02
_SLOWLY = 0.1
_TIGHT = 5.0
_LOOK = 0.3


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
                    if _serve(run, session, Printed(tty)):
                        return
            finally:
                session.close()
        # an image that takes long to pull must not be paid for with hundreds of requests
        run.wait(_AGAIN if time.monotonic() - began < _TIGHT else _SLOWLY)
    run_log.rest(run, Printed(tty))


def _attached(run: RunPod, pod: pods.Pod, *, tty: bool, stdin: bool) -> Session | None:
    """None when there is nothing to attach to yet."""
    try:
        return remote.attach(run.cluster, run.path, pods.container(pod), tty=tty, stdin=stdin)
    except ApiError as error:
        if error.code in (401, 403):
            raise
        return None
    except Unreachable:
        return None  # the watch of the pod knows when to give up


def _serve(run: RunPod, session: Session, printed: Printed) -> bool:
    """False when the attachment came to nothing, having taken and printed nothing."""
    held = Held()
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
        run_log.follow(run, printed)
    else:
        run.until_ended()
        run_log.complete(run, printed)
    return True


def _join(run: RunPod, session: Session, held: Held, printed: Printed) -> bytes | None:
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
        if ended or time.monotonic() > deadline or held.size >= LARGEST:
            return None


def _settle(session: Session, held: Held) -> None:
    """Hold what comes until a pause, or for a moment of a flood.

    A process that ends while nobody takes its output loses some of it: nothing is left waiting, up to a limit.
    """
    until = time.monotonic() + _LOOK
    while held.size < LARGEST and session.ended is None and session.pump(held, PAUSE):
        if held.size >= ENOUGH and time.monotonic() > until:
            return


def _log_beside(run: RunPod, session: Session, held: Held) -> bytes | None:
    """The log, read while output is taken all the time."""
    found: list[bytes | None] = []
    thread = threading.Thread(target=lambda: found.append(run_log.whole(run)), daemon=True)
    thread.start()
    while thread.is_alive():
        if session.ended is None and held.size < LARGEST:
            session.pump(held, 0.005)
        else:
            thread.join(0.1)
    return found[0] if found else None


def _listen(run: RunPod, session: Session, held: Held) -> None:
    """The container runs and is silent: from now on it may get input, until there is output."""
    if not session.feeding:
        session.feeding = True
        session.resize()
    while session.ended is None and run.result is None and not session.pump(held, 1.0):
        pass


def _beside(run: RunPod, session: Session, printed: Printed) -> None:
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
        run_log.follow(run, printed)
    finally:
        done.set()
        thread.join()
