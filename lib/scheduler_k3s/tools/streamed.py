"""Runs a program whose output the user sees as it comes: installers and package managers, which take minutes."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from scheduler_k3s import log
from scheduler_k3s.child import Child
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools.command import CommandError
from scheduler_k3s.unbroken import unbroken

_SILENCE = 15.0
"""Seconds without output after which the user hears that the program still runs."""
_GRACE = 10.0
_LAST, _UNSEEN = 3, 20
"""Lines of output that an error repeats: few of what was seen, more of what `dokku --quiet` kept from the user."""
_STEP = 0.5


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float,
    secrets: Sequence[Secret] = (),
    stdin: int = subprocess.DEVNULL,
    name: str = "",
) -> None:
    """Run to the end, with `env` as the whole environment when given. No line shows one of `secrets`.

    `stdin` is a descriptor, `name` what the user knows the program by. The program has a session of its own, so
    that a signal to us ends it with all its children in order.
    Errors: CommandError, with the last lines of output.
    """
    log.debug("run: " + " ".join(argv))
    output = _Output(name or os.path.basename(argv[0]), secrets)
    process = None
    try:
        with unbroken():
            process = _started(argv, stdin, env)
        _follow(process, output, timeout)
    finally:
        if process is not None:
            _end(process)
    if process.returncode != 0:
        raise CommandError(argv, process.returncode, output.end())


def _started(argv: Sequence[str], stdin: int, env: Mapping[str, str] | None) -> Child:
    try:
        return Child(
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=None if env is None else dict(env), start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        raise CommandError(argv, 127, f"{argv[0]} does not exist") from None
    except OSError as error:
        raise CommandError(argv, 126, f"{argv[0]}: {error.strerror}") from None


def _follow(process: Child, output: "_Output", timeout: float) -> None:
    """Until the program has ended. Services that it started may hold its output open for ever."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + timeout
    while True:
        has_ended = process.poll() is not None
        readable, _, _ = select.select([descriptor], [], [], 0.0 if has_ended else _STEP)
        block = os.read(descriptor, 65536) if readable else b""
        if block:
            output.add(block)
        elif has_ended or (readable and _has_ended_soon(process)):
            output.close()
            return
        output.report()
        if time.monotonic() > deadline:
            raise CommandError(process.args, 124, f"no end after {timeout:g} s")  # type: ignore[arg-type]


def _has_ended_soon(process: Child) -> bool:
    """It closed its output; most programs end then."""
    try:
        process.wait(_STEP)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: Child) -> None:
    """A program that still runs is ended with its group: politely, then surely."""
    if process.stdout is not None:
        process.stdout.close()
    for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


class _Output:
    """Prints whole lines with the secrets starred, keeps the last ones, and breaks long silences."""

    def __init__(self, name: str, secrets: Sequence[Secret]) -> None:
        self.name = name
        self.hidden = [secret.reveal() for secret in secrets if secret]
        self._lines: list[str] = []
        self._rest = b""
        self._started = self._said = time.monotonic()

    def add(self, block: bytes) -> None:
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self._show(line)

    def close(self) -> None:
        if self._rest:
            self._show(self._rest)

    def end(self) -> str:
        return "\n".join(self._lines[-_UNSEEN if log.quiet() else -_LAST :])

    def report(self) -> None:
        now = time.monotonic()
        if now - self._said >= _SILENCE:
            self._said = now
            log.detail_quiet(f"{self.name} is still running ({now - self._started:.0f}s)")

    def _show(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip().rpartition("\r")[2]
        for hidden in self.hidden:
            text = text.replace(hidden, "***")
        if text:
            self._lines = [*self._lines, text][-_UNSEEN:]
            self._said = time.monotonic()
            log.detail_quiet(text)
