"""What every report shares: which scopes it is about, and the three ways to print it."""

from scheduler_k3s import log
from scheduler_k3s.dokku import apps, properties
from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_INDENT = " " * 7
WIDTH = 31
"""Columns of a label in dokku's reports, the least."""


def each(scope: str, show: "Callable[[str], None]") -> None:
    """Show one app, the global scope, or all apps when none is named. The first app that fails ends it."""
    if scope:
        if scope != properties.GLOBAL:
            apps.verify(scope)
        show(scope)
        return
    found = apps.all_apps()
    if not found:
        log.warn("You haven't deployed any applications yet")
    for app in found:
        apps.check_name(app)
        show(app)


def single(flags: "Sequence[str]") -> str:
    """The info flag, "" for none."""
    if len(flags) > 1:
        raise PluginError("only a single info flag may be specified")
    return flags[0] if flags else ""


def check_format(layout: str) -> None:
    if layout not in ("stdout", "json"):
        raise PluginError(f"Invalid format: {layout}")


def check_flag_and_format(flag: str, layout: str) -> None:
    if flag and layout == "json":
        raise PluginError("--format flag cannot be specified when specifying an info flag")


def answer(flag: str, values: "Mapping[str, str]") -> None:
    """Print the bare value behind an info flag. `values` has a value for every valid flag."""
    if flag not in values:
        raise PluginError(f"Invalid flag passed, valid flags: {', '.join(sorted(values))}")
    print(values[flag])


def fields(headline: str, rows: "Sequence[tuple[str, str]]", width: int = WIDTH) -> None:
    """A headline, then the rows as `lines` prints them."""
    log.headline_quiet(headline)
    lines(rows, width)


def lines(rows: "Sequence[tuple[str, str]]", width: int = WIDTH) -> None:
    """Label and value per row. The values stand in one column, a blank before it, also when labels are longer."""
    width = max([width, *(len(label) + 1 for label, _ in rows)])
    if rows:
        print("\n".join([f"{_INDENT}{label:<{width}}{value}" for label, value in rows]), flush=True)


def as_json(value: object) -> None:
    """One line without blanks, keys in byte order."""
    import json

    print(json.dumps(value, sort_keys=True, separators=(",", ":")))


def table(header: "Sequence[str]", rows: "Iterable[Sequence[str]]") -> None:
    """Columns as wide as their longest cell with two blanks between them, the last one not padded."""
    cells = [[cell.strip() for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header) - 1)]
    for row in cells:
        print("  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]))
