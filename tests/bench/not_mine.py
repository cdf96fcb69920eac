"""What a trigger of another scheduler's app costs, against an empty interpreter: interleaved, medians of many runs."""

import os
import statistics
import sys
import time
from pathlib import Path

RUNS = 60
CHECKOUT = Path(__file__).resolve().parents[2]
FLOOR = ["/usr/bin/python3", "-IS", "-c", "pass"]


def cost(argv: list[str]) -> tuple[float, float]:
    """Wall and processor time of one run, in milliseconds."""
    started = time.perf_counter()
    child = os.posix_spawn(
        argv[0], argv, {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    )
    _, _, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def main() -> None:
    triggers = sorted(CHECKOUT.glob("triggers/scheduler-*"))
    commands = {path.name: [str(path), "docker-local", "app", "", ""] for path in triggers}
    commands["commands (of another plugin)"] = [str(CHECKOUT / "commands"), "logs:foo"]
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in ("floor", *commands)}
    for _ in range(RUNS):
        samples["floor"].append(cost(FLOOR))
        for name, argv in commands.items():
            samples[name].append(cost(argv))
    floor = [statistics.median(column) for column in zip(*samples["floor"], strict=True)]
    print(f"{'python3 -IS -c pass':<34} {floor[0]:6.1f} ms wall {floor[1]:6.1f} ms cpu")
    for name in commands:
        wall, cpu = (statistics.median(column) for column in zip(*samples[name], strict=True))
        print(
            f"{name:<34} {wall:6.1f} ms wall {cpu:6.1f} ms cpu   {wall / floor[0]:.2f} x {cpu / floor[1]:.2f} x"
        )


if __name__ == "__main__":
    sys.exit(main())
