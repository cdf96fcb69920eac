"""100 MB of `logs APP` as dokku calls it, against `kubectl logs` of the same pod: time, and memory of the process."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rig import images

from .hosts import deployed, environment, kubectl, plugin
from .measure import Row, in_turns

RUNS = 5
APP = "benchlogs"
LINES, LENGTH = 500_000, 200
_SCRIPT = f"yes $(head -c {LENGTH - 1} /dev/zero | tr '\\0' x) | head -n {LINES}; echo; exec httpd -f -p 5000"


def rows() -> Iterator[Row]:
    image = images.build("rig/talkative", cmd=["sh", "-c", _SCRIPT])
    with deployed(APP, image) as dokku:
        env = environment(dokku)
        pod = subprocess.run(
            kubectl("get", "pods", f"--selector=app.kubernetes.io/part-of={APP}", "--output=name"),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        theirs = kubectl("logs", "--prefix", pod)
        ours = (str(plugin(dokku) / "scheduler-logs"), "k3s", APP, "", "false", "false", "0")
        _wait(ours, env)
        memory: dict[Sequence[str], list[float]] = {ours: [], theirs: []}

        def measure(argv: Sequence[str]) -> float:
            wall, peak = _cost(argv, env)
            memory[argv].append(peak)
            return wall

        floor, walls = in_turns(RUNS, lambda: measure(theirs), lambda: measure(ours))
    yield Row(f"logs APP, {LINES * LENGTH // 1_000_000} MB", "kubectl logs --prefix", "s", walls, floor, 1.5)
    yield Row("peak memory of that", "kubectl logs --prefix", "MB", memory[ours], memory[theirs])


def _wait(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Until the pod has said all of it. Errors: SystemExit."""
    for _ in range(120):
        done = subprocess.run(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if done.stdout.count(b"\n") >= LINES:
            return
        time.sleep(1)
    raise SystemExit(f"the pod did not print {LINES} lines")


def _cost(argv: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Wall time in seconds, and the most memory in MB: the kernel's mark, which a child inherits from nobody."""
    started, peak = time.perf_counter(), 0.0
    running = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while running.poll() is None:
        lines = Path(f"/proc/{running.pid}/status").read_text().splitlines()
        peak = max([peak, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))])
        time.sleep(0.02)
    wall = time.perf_counter() - started
    if running.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: exit {running.returncode}")
    return wall, peak
