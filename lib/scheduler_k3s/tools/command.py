"""The one place that starts other programs: argument lists, a time limit, errors that carry what was said."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from scheduler_k3s import log
from scheduler_k3s.child import Child
from scheduler_k3s.errors import PluginError
from scheduler_k3s.unbroken import unbroken


class CommandError(PluginError):
    """A program failed. `output` is its stderr (or stdout when that is empty), at most the last 4000 characters."""

    def __init__(self, argv: Sequence[str], code: int, output: str, hidden: bool = False) -> None:
        self.argv = list(argv)
        self.code = code
        self.output = "" if hidden else output.strip()[-4000:]
        name = os.path.basename(argv[0])
        ended = f"was ended by {_signal(-code)}" if code < 0 else f"failed with exit code {code}"
        super().__init__(f"{name} {ended}" + (f": {self.output}" if self.output else ""))


def run(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    check: bool = True,
    sensitive: bool = False,
    inherited: Sequence[int] = (),
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end with captured output.

    `stdin` is all the child can read: a child never inherits ours, which in a deploy belongs to git.
    `env` is added to our own environment. `timeout` is in seconds. With `sensitive`, neither the words nor
    the output of the program get into logs or errors. `inherited` are descriptors that it keeps open.
    Errors: CommandError on a non-zero exit (with `check`), a program that cannot be started or when the time is
    over.
    """
    log.debug(f"run: {os.path.basename(argv[0])} ..." if sensitive else "run: " + " ".join(argv))
    try:
        done = _done(argv, stdin, environment(env), timeout, inherited)
    except FileNotFoundError:
        raise CommandError(argv, 127, f"{argv[0]} does not exist") from None
    except OSError as error:
        raise CommandError(argv, 126, f"{argv[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise CommandError(argv, 124, f"no end after {timeout:g} s") from None
    if check and done.returncode != 0:
        output = (done.stderr or done.stdout).decode("utf-8", "replace")
        raise CommandError(argv, done.returncode, output, hidden=sensitive)
    return done


def _done(
    argv: Sequence[str], stdin: bytes, env: Mapping[str, str], timeout: float, inherited: Sequence[int]
) -> subprocess.CompletedProcess[bytes]:
    """Whatever ends this early ends the program."""
    child, pipe = None, subprocess.PIPE
    try:
        with unbroken():
            child = Child(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, pass_fds=inherited)
        output, errors = child.communicate(stdin, timeout)
    except BaseException:
        if child is not None:
            child.kill()
        raise
    finally:
        if child is not None:
            with child:
                pass  # its pipes are closed, and its end is waited for
    return subprocess.CompletedProcess(list(argv), child.returncode, output, errors)


def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """Our environment with `extra` over it."""
    return {**os.environ, **(extra or {})}


def _signal(number: int) -> str:
    """Its name; real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
