"""Starts the parts of the node so that they outlive this command, and ends none but those."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rig.paths import LOGS, STATE

_PIDS = STATE / "pids"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PATIENCE_SECONDS = 10.0  # a busy machine answers late, which is no reason to end what others use


class PartError(Exception):
    """A part ended or did not get healthy; the message has its last log lines."""


@dataclass(frozen=True)
class Part:
    """A program of the node. `after` names the steps that it needs; `seconds` is its time to get healthy."""

    name: str
    argv: tuple[str, ...]
    healthy: Callable[[], bool]
    after: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = 60


def pid_of(name: str) -> int | None:
    """The part's process id, or None when it does not run (a recycled id is told by its start time)."""
    try:
        record = json.loads((_PIDS / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    return int(record["pid"]) if _start_time(record["pid"]) == record["started"] else None


def bring_up(part: Part) -> None:
    """Returns once the part is healthy; one that runs and does not get healthy in a while is started anew.

    Raises PartError when it ends or exceeds its time.
    """
    if pid_of(part.name):
        if _gets_healthy(part, _PATIENCE_SECONDS):
            return
        end(part.name)
    process = _spawn(part)
    if _gets_healthy(part, part.seconds, process):
        return
    if process.poll() is not None:
        raise PartError(f"{part.name} ended with exit code {process.returncode}{_last_lines(part.name)}")
    raise PartError(f"{part.name} is not healthy after {part.seconds:.0f} s{_last_lines(part.name)}")


def _gets_healthy(part: Part, seconds: float, process: "subprocess.Popen[bytes] | None" = None) -> bool:
    """False when the time is over or the process has ended."""
    deadline = time.monotonic() + seconds
    while not part.healthy():
        if time.monotonic() > deadline or (process and process.poll() is not None):
            return False
        time.sleep(0.1)
    return True


def end(name: str, seconds: float = 5) -> None:
    """Asks the part to end, insists after `seconds`, and returns when it is gone."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10.0)):
        pid = pid_of(name)
        if pid is None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while pid_of(name) and time.monotonic() < deadline:
            time.sleep(0.02)
    (_PIDS / f"{name}.json").unlink(missing_ok=True)


def recorded() -> list[str]:
    """Names of all parts that were started and not ended, of every node."""
    return sorted(path.stem for path in _PIDS.glob("*.json"))


def _spawn(part: Part) -> "subprocess.Popen[bytes]":
    _PIDS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / f"{part.name}.log").open("ab") as log:
        process = subprocess.Popen(
            part.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": _PATH, "HOME": str(STATE), **part.environment},
            start_new_session=True,
        )
    record = {"pid": process.pid, "started": _start_time(process.pid), "argv": part.argv}
    (_PIDS / f"{part.name}.json").write_text(json.dumps(record))
    return process


def _start_time(pid: int) -> str | None:
    """Clock ticks since boot at which the process began; None for one that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _last_lines(name: str) -> str:
    path = LOGS / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines()[-15:]
    return f"; {path} ends with:\n" + "\n".join(f"  {line[:400]}" for line in lines)
