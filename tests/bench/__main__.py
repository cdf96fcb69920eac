"""python -m bench [NAME...]: one table, each row against its floor. Kept in docs/measured.json and the README."""

import importlib
import statistics
import sys
from collections.abc import Sequence

from . import record
from .measure import Row, commit, machine

# modules whose rows() yields rows as they are measured
NAMES = ("not_mine", "report", "status", "gathering", "redeploy", "rollout", "run", "logs", "crowd")


def main() -> int:
    names = sys.argv[1:] or NAMES
    if unknown := [name for name in names if name not in NAMES]:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. There are: {', '.join(NAMES)}")
    print(f"{machine()}, {commit()}")
    print(f"{'':<58} {'ours':>24} {'floor':>24}   ratio  budget")
    for name in names:
        rows = []
        for row in importlib.import_module(f"bench.{name}").rows():
            rows.append(row)
            print(_line(row), flush=True)
        record.keep(name, rows, NAMES)
    return 0


def _line(row: Row) -> str:
    ratio = f"{row.ratio:5.2f} x" if row.ratio is not None else ""
    budget = f"{row.budget:g} x" if row.budget is not None else ""
    return f"{row.what:<58} {_spread(row.ours, row.unit):>24} {_spread(row.floor, row.unit):>24} {ratio:>7} {budget:>7}"


def _spread(samples: Sequence[float], unit: str) -> str:
    if not samples:
        return ""
    low, high = record.amount(min(samples)), record.amount(max(samples))
    return f"{record.amount(statistics.median(samples))} {unit} ({low}-{high})"


if __name__ == "__main__":
    sys.exit(main())
