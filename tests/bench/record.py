"""What was measured last, kept in docs/measured.json, and the README's table of it.

Each module's rows were measured in one run; a run of some modules replaces theirs alone. Rows of another machine say
nothing beside those of this one and are dropped.
"""

import json
import statistics
from collections.abc import Sequence
from typing import Any

from rig.host import CHECKOUT

from .measure import Row, commit, machine

FILE = CHECKOUT / "docs" / "measured.json"
README = CHECKOUT / "README.md"
BEGIN = "<!-- measured: begin (written by `make bench`, checked by the tests) -->\n"
END = "<!-- measured: end -->\n"
Document = dict[str, Any]


def keep(module: str, rows: Sequence[Row], order: Sequence[str]) -> None:
    """Write the rows of a module to both files. `order` is that of all modules."""
    known = read()
    parts = known["parts"] if known["machine"] == machine() else {}
    parts[module] = {"commit": commit(), "rows": [_row(row) for row in rows]}
    parts = {name: parts[name] for name in order if name in parts}
    FILE.write_text(json.dumps({"machine": machine(), "parts": parts}, indent=1) + "\n")
    README.write_text(inserted(README.read_text(), read()))


def read() -> Document:
    if not FILE.exists():
        return {"machine": "", "parts": {}}
    document: Document = json.loads(FILE.read_text())
    return document


def inserted(text: str, document: Document) -> str:
    """The README with the table as it should be. Errors: ValueError when its marks are missing."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + _table(document) + END + rest.split(END)[1]


def _table(document: Document) -> str:
    lines = [
        f"Measured on {document['machine']}:",
        "",
        "| what | here | floor | ratio | aim |",
        "|---|---|---|---|---|",
    ]
    for part in document["parts"].values():
        for row in part["rows"]:
            floor = f"`{row['against']}`: {_median(row['floor'], row['unit'])}" if row["floor"] else ""
            ratio = f"{row['ratio']:.2f}" if row["ratio"] else ""
            aim = f"{row['budget']:g}" if row["budget"] else ""
            lines.append(
                f"| {row['what']} | {_median(row['ours'], row['unit'])} | {floor} | {ratio} | {aim} |"
            )
    return "\n".join(lines) + "\n"


def _median(samples: Sequence[float], unit: str) -> str:
    return f"{amount(statistics.median(samples))} {unit}"


def amount(value: float) -> str:
    """Three digits that count."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _row(row: Row) -> Document:
    return {
        "what": row.what,
        "against": row.against,
        "unit": row.unit,
        "ours": [round(sample, 3) for sample in row.ours],
        "floor": [round(sample, 3) for sample in row.floor],
        "ratio": row.ratio and round(row.ratio, 3),
        "budget": row.budget,
    }
