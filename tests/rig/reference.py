"""Writes the table of properties into the README, from the one table in the code: `python -m rig.reference`."""

import sys
from pathlib import Path

from scheduler_k3s.settings import SETTINGS

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- properties: begin (written by `make reference`, checked by the tests) -->\n"
END = "<!-- properties: end -->\n"


def table() -> str:
    lines = ["| property | for | default | |", "|---|---|---|---|"]
    for setting in SETTINGS.values():
        scope = "app, `--global`" if setting.for_apps else "`--global`"
        default = f"`{setting.default}`" if setting.default else ""
        lines.append(f"| `{setting.name}` | {scope} | {default} | {setting.summary} |")
    return "\n".join(lines) + "\n"


def inserted(text: str) -> str:
    """The README with the table as it should be. Errors: ValueError when its marks are missing."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(inserted(README.read_text()))
    sys.exit(0)
