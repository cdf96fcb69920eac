"""Processes that hold namespaces: started aside, known by a file, so that a later run can end what a crash has left."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class HolderError(Exception):
    """A process that should hold namespaces ended early; the message has what it said."""


def start(record: Path, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Starts a process in a session of its own; its output goes beside the record."""
    with record.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", start_new_session=True
        )
    record.write_text(json.dumps({"pid": process.pid, "started": _started(process.pid)}))
    return process


def pid(record: Path) -> int | None:
    """The process id, or None when it has ended (another process of the same number has another start time)."""
    try:
        known = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return int(known["pid"]) if _started(known["pid"]) == known["started"] else None


def child(number: int) -> int | None:
    """The one process that this one has started."""
    try:
        words = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(words[0]) if words else None


def end(record: Path, seconds: float = 60) -> None:
    """Kills the process, and with it all in its namespaces; returns when they are gone."""
    number = pid(record)
    if number is not None:
        held = child(number)
        for one in filter(None, (held, number)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        _wait_for([one for one in (held, number) if one], seconds)
    record.unlink(missing_ok=True)


def wait(record: Path, seconds: float = 60) -> None:
    """Returns when the process has ended of itself. Errors: HolderError after that many seconds."""
    number = pid(record)
    if number is not None:
        _wait_for([number], seconds)


def _wait_for(numbers: list[int], seconds: float) -> None:
    started = {number: _started(number) for number in numbers}
    deadline = time.monotonic() + seconds
    while left := [number for number, at in started.items() if at and _started(number) == at]:
        if time.monotonic() > deadline:
            raise HolderError(f"processes {left} are there after {seconds:.0f} s")
        for number in numbers:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(number, os.WNOHANG)
        time.sleep(0.02)


def _started(number: int) -> str | None:
    """Clock ticks since boot at which the process began; None for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
