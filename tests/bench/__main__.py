"""python -m bench [NAME...]: one table, each row against its floor; written to FILE as JSON with --json FILE."""

import argparse
import importlib
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from .measure import Row, commit, machine

# modules whose rows() yields rows as they are measured
NAMES = ("not_mine", "report", "status", "gathering", "redeploy", "rollout", "run", "logs", "crowd")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--json", type=Path)
    parser.add_argument("names", nargs="*", choices=(*NAMES, []), metavar="NAME")
    given = parser.parse_args()
    print(f"{machine()}, {commit()}")
    print(f"{'':<58} {'ours':>24} {'floor':>24}   ratio  budget")
    rows = []
    for row in _rows(given.names or NAMES):
        rows.append(row)
        print(_line(row), flush=True)
        if given.json:
            given.json.write_text(json.dumps(_document(rows), indent=1) + "\n")
    return 0


def _rows(names: list[str] | tuple[str, ...]) -> Iterator[Row]:
    for name in names:
        yield from importlib.import_module(f"bench.{name}").rows()


def _line(row: Row) -> str:
    ratio = f"{row.ratio:5.2f} x" if row.ratio is not None else ""
    budget = f"{row.budget:g} x" if row.budget is not None else ""
    return f"{row.what:<58} {_spread(row.ours, row.unit):>24} {_spread(row.floor, row.unit):>24} {ratio:>7} {budget:>7}"


def _spread(samples: object, unit: str) -> str:
    if not isinstance(samples, list) or not samples:
        return ""
    middle, low, high = statistics.median(samples), min(samples), max(samples)
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f}-{high:.{digits}f})"


def _document(rows: list[Row]) -> dict[str, object]:
    lines = [
        {
            "what": row.what,
            "against": row.against,
            "unit": row.unit,
            "ours": [round(sample, 3) for sample in row.ours],
            "floor": [round(sample, 3) for sample in row.floor],
            "ratio": row.ratio and round(row.ratio, 3),
            "budget": row.budget,
        }
        for row in rows
    ]
    return {"machine": machine(), "commit": commit(), "rows": lines}


if __name__ == "__main__":
    sys.exit(main())
