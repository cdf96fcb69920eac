"""`scheduler-k3s:report`: the properties of an app or the host, as they are and as they come out."""

from scheduler_k3s import charts, reports
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.settings import SETTINGS

_PREFIX = "scheduler-k3s-"
_HIDDEN = "*******"


def show(scope: str, layout: str = "stdout", flags: "list[str] | None" = None) -> None:
    """Print the report of an app, of `--global`, or of all apps. A flag asks for one value only."""
    if flags and len(flags) > 1:
        raise PluginError("scheduler-k3s:report command allows only a single flag")
    reports.each(scope, lambda one: _show_one(one, layout, flags[0] if flags else ""))


def values(scope: str) -> dict[str, str]:
    """Key and value, in byte order of the keys. The token is in the global report only."""
    found = {}
    for name, setting in SETTINGS.items():
        stored = properties.read(properties.GLOBAL, name)
        own = ""
        if scope != properties.GLOBAL:
            if setting.secret:
                continue
            if setting.for_apps:
                own = found[name] = properties.read(scope, name)
        if setting.twin:
            found[f"global-{name}"] = stored
            found[f"computed-{name}"] = own or stored or setting.default
        else:
            found[f"global-{name}"] = stored or setting.default
    for chart in charts.NAMES:
        for key, value in charts.overrides(chart).items():
            found[f"global-chart.{chart}.{key}"] = value
    return dict(sorted(found.items()))


def _show_one(scope: str, layout: str, flag: str) -> None:
    if layout not in ("stdout", "json"):
        raise PluginError(f'Format must be "stdout" or "json": "{layout}"')
    reports.check_flag_and_format(flag, layout)
    found = values(scope)
    if flag:
        reports.answer(flag, {f"--{_PREFIX}{key}": value for key, value in found.items()})
    elif layout == "json":
        reports.as_json(found | {_PREFIX + key: value for key, value in found.items()})
    else:
        width = max(reports.WIDTH, *(len(f"--{_PREFIX}{key}") for key in found))
        rows = [
            (_label(key), _HIDDEN if value and _is_secret(key) else value) for key, value in found.items()
        ]
        reports.fields(f"{scope} scheduler-k3s information", rows, width)


def _label(key: str) -> str:
    words = f"{_PREFIX}{key}".replace("-", " ").replace(".", " ")
    return f"{words[0].upper()}{words[1:]}:"


def _is_secret(key: str) -> bool:
    return any(setting.secret and key == f"global-{name}" for name, setting in SETTINGS.items())
