"""`scheduler-k3s:charts:set`: override a value of a system chart."""

from scheduler_k3s import charts
from scheduler_k3s.errors import PluginError


def set_chart_value(name: str, value: str) -> None:
    """`name` is `<chart>.<key>`. An empty value removes the override."""
    chart, _, key = name.partition(".")
    if not chart or not key:
        raise PluginError("Invalid property, expected format: <chart-name>.<property>")
    charts.check(chart)
    charts.override(chart, key, value)
