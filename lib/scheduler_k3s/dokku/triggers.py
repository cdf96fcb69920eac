"""Asking other plugins. `plugn trigger` costs some 140 ms of bash, so questions go to the listeners directly.

The rules are plugn's: enabled plugins in alphabetical order, each executable file named like the trigger is
run with the same words, outputs are joined, the first failure ends it. 20_events only writes a log and is
passed over.
"""

import _thread
import os

from scheduler_k3s import log
from scheduler_k3s.dokku import host
from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from subprocess import CompletedProcess
    from typing import TypeVar

    from scheduler_k3s.child import Child

    T = TypeVar("T")

TIMEOUT = 60.0
_GRACE = 10.0
_children: "set[Child]" = set()
"""Programs that are being asked, by any thread."""
_starting = _thread.allocate_lock()
_MAIN = _thread.get_ident()
_over: list[bool] = []
"""True after a signal, which ends the children: threads that still run start no more of them."""


class TriggerError(PluginError):
    """A listener failed. `code` is its exit code."""

    def __init__(self, trigger: str, plugin: str, code: int, output: str) -> None:
        super().__init__(
            f"dokku's {plugin} plugin failed to answer {trigger} ({code}): {output.strip() or 'no message'}"
        )
        self.code = code


def listeners(trigger: str) -> list[str]:
    """The executables that answer a trigger, in plugn's order."""
    enabled = host.enabled_plugins()
    try:
        plugins = sorted(os.listdir(enabled))
    except FileNotFoundError:
        return []
    paths = (f"{enabled}/{plugin}/{trigger}" for plugin in plugins if plugin != "20_events")
    return [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def ask(trigger: str, *words: str, timeout: float = TIMEOUT) -> str:
    """What the listeners print, each within `timeout` seconds. Errors: TriggerError from the first one that fails."""
    import subprocess

    answer = b""
    for path in listeners(trigger):
        plugin = os.path.basename(os.path.dirname(path))
        try:
            done = output([path, *words], timeout)
        except subprocess.TimeoutExpired:
            raise TriggerError(trigger, plugin, 124, f"no answer after {timeout:g} s") from None
        except OSError as error:
            raise TriggerError(trigger, plugin, 126, error.strerror or str(error)) from None
        if done.returncode != 0:
            raise TriggerError(trigger, plugin, done.returncode, done.stderr.decode("utf-8", "replace"))
        answer += done.stdout
    return answer.decode("utf-8", "surrogateescape")


def output(argv: "Sequence[str]", timeout: float) -> "CompletedProcess[bytes]":
    """Run a program of dokku's to its end, within `timeout` seconds; all that it started ends with it.

    Errors: OSError, subprocess.TimeoutExpired.
    """
    import subprocess

    from scheduler_k3s.child import Child
    from scheduler_k3s.unbroken import unbroken

    child = None
    try:
        with unbroken(), _starting:
            if _over and _thread.get_ident() != _MAIN:
                raise PluginError(f"{os.path.basename(argv[0])} is not asked any more")
            child = Child(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            _children.add(child)
        out, errors = child.communicate(timeout=timeout)
    except BaseException:
        if child is not None:
            _kill(child)
            child.communicate()
        raise
    finally:
        if child is not None:
            _children.discard(child)
    return subprocess.CompletedProcess(argv, child.returncode, out, errors)


def succeeds(trigger: str, *words: str) -> bool:
    """The answer of triggers that speak by their exit code."""
    try:
        ask(trigger, *words)
    except TriggerError:
        return False
    return True


def together(questions: "Sequence[Callable[[], T]]") -> "list[T]":
    """Run the questions at the same time, answers in their order. The first error, in that order, is raised."""
    import threading

    answers: list[T | None] = [None] * len(questions)
    errors: list[BaseException | None] = [None] * len(questions)

    def work(index: int) -> None:
        try:
            answers[index] = questions[index]()
        except BaseException as error:
            errors[index] = error

    threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(len(questions))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        # a signal: the threads end with the process, what they have started would not
        _end_children()
        raise
    for error in errors:
        if error is not None:
            raise error
    return answers  # type: ignore[return-value]


def _end_children() -> None:
    with _starting:
        _over.append(True)
        for child in _children:
            _kill(child)


def fire(trigger: str, *words: str) -> None:
    """Tell all plugins through plugn, with our own output streams; stdin stays ours. A signal ends them all.

    Errors: PluginError when a plugin refuses. Its own message is already on stderr.
    """
    import subprocess

    from scheduler_k3s.child import Child
    from scheduler_k3s.unbroken import unbroken

    log.debug(f"plugn trigger {trigger} {' '.join(words)}")
    argv = ["plugn", "trigger", trigger, *words]
    child = None
    try:
        with unbroken():
            child = Child(argv, stdin=subprocess.DEVNULL, start_new_session=True)
        code = child.wait()
    except BaseException:
        if child is not None:
            _terminate(child)
        raise
    if code != 0:
        raise PluginError(f"Error running {trigger}: exit code {code}")


def _terminate(child: "Child") -> None:
    """End a program and all that it has started, in order if it ends within the grace."""
    import signal
    import subprocess

    _kill(child, signal.SIGTERM)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        _kill(child)


def _kill(child: "Child", number: int = 9) -> None:
    import contextlib

    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
