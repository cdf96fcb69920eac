"""What a trigger of another scheduler's app costs, and `commands` for a command of another plugin."""

import statistics
from collections.abc import Iterator

from rig.host import CHECKOUT

from .measure import INTERPRETER, Cost, Row, cost

RUNS = 60
NOT_OURS = 10  # what dokku reads as "no command of this plugin"


def rows() -> Iterator[Row]:
    triggers = sorted(CHECKOUT.glob("triggers/scheduler-*"))
    commands: dict[str, tuple[str, ...]] = {
        path.name: (str(path), "docker-local", "app", "", "") for path in triggers
    }
    commands["commands"] = (str(CHECKOUT / "commands"), "logs:foo")
    floor: list[Cost] = []
    samples: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(RUNS):
        floor.append(cost(INTERPRETER))
        for name, argv in commands.items():
            samples[name].append(cost(argv, code=NOT_OURS if name == "commands" else 0))
    # the one row that counts is the slowest; a sum would hide it
    worst = max(samples, key=lambda name: statistics.median(one.wall for one in samples[name]))
    for kind in ("wall", "cpu"):
        what = f"not mine, {kind}: {worst}, slowest of {len(commands)}"
        ours = [getattr(one, kind) for one in samples[worst]]
        yield Row(what, "python3 -IS -c pass", "ms", ours, [getattr(one, kind) for one in floor], 1.15)
