"""`scheduler-k3s:charts:report`."""

from scheduler_k3s import charts, reports
from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def show(chart: str, layout: str, flags: "Sequence[str]") -> None:
    """Print the overrides of one chart, or of all."""
    if len(flags) > 1:
        raise PluginError("scheduler-k3s-charts:report command allows only a single flag")
    flag = flags[0] if flags else ""
    reports.check_format(layout)
    reports.check_flag_and_format(flag, layout)
    if chart:
        charts.check(chart)
    found = {one.name: charts.overrides(one.name) for one in charts.CHARTS if chart in ("", one.name)}
    values = {f"{name}.{key}": value for name, keys in found.items() for key, value in keys.items()}
    if flag:
        reports.answer(flag, {f"--scheduler-k3s-charts-{key}": value for key, value in values.items()})
    elif layout == "json":
        reports.as_json(values)
    else:
        _show_text(found)


def _show_text(found: dict[str, dict[str, str]]) -> None:
    rows = {
        name: [(f"Chart property {key}:", value) for key, value in sorted(keys.items())]
        for name, keys in found.items()
    }
    width = max([reports.WIDTH, *(len(label) + 1 for labels in rows.values() for label, _ in labels)])
    for name, labels in rows.items():
        reports.fields(f"{name} chart information", labels, width)
