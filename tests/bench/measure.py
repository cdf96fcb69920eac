"""How a row of the table comes about: it and its floor take turns in one run; medians, with their spread."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rig.host import CHECKOUT

INTERPRETER = ("/usr/bin/python3", "-IS", "-c", "pass")
Measure = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One line of the table. Samples in `unit`; `budget` is the ratio of the medians that the work aims at."""

    what: str
    against: str
    unit: str
    ours: Sequence[float]
    floor: Sequence[float] = ()
    budget: float | None = None

    @property
    def ratio(self) -> float | None:
        return statistics.median(self.ours) / statistics.median(self.floor) if self.floor else None


@dataclass(frozen=True)
class Cost:
    """What one child process took: wall and processor time in milliseconds, its peak of memory in MB."""

    wall: float
    cpu: float
    peak: float


def in_turns(runs: int, *measures: Measure, before: Callable[[], object] = lambda: None) -> list[list[float]]:
    """`runs` samples of each, one of each at a time, so that the machine's moods hit all of them alike.

    `before` each of them waits for what the last one has left behind.
    """
    samples: list[list[float]] = [[] for _ in measures]
    for _ in range(runs):
        for column, measure in zip(samples, measures, strict=True):
            before()
            column.append(measure())
    return samples


def cost(argv: tuple[str, ...], env: Mapping[str, str] | None = None, code: int = 0) -> Cost:
    """Run a program with its output thrown away. Errors: SystemExit when it does not end with `code`."""
    nowhere = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
    ]
    started = time.perf_counter()
    child = os.posix_spawn(argv[0], argv, env or {}, file_actions=nowhere)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) != code:
        raise SystemExit(f"{' '.join(argv)}: exit {os.waitstatus_to_exitcode(status)}")
    return Cost(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024)


def seconds(argv: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """The wall time of a program. Errors: CalledProcessError, with its output, when it fails."""
    started = time.perf_counter()
    subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - started


def machine() -> str:
    with open("/proc/cpuinfo") as cpus, open("/proc/meminfo") as memory:
        model = next(
            (line.split(":")[1].strip() for line in cpus if line.startswith("model name")), "unknown"
        )
        size = int(memory.readline().split()[1]) / 1024**2
    return f"{os.cpu_count()} cores ({model}), {size:.0f} GiB, Linux {os.uname().release.split('-')[0]}"


def commit() -> str:
    argv = ["git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
