"""`scheduler-k3s:report`: the properties of an app or the host, as they are and as they come out."""

from scheduler_k3s import charts, reports
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.settings import SETTINGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "scheduler-k3s-"
_HIDDEN = "*******"
_FOR_APPS = [name for name, setting in SETTINGS.items() if setting.for_apps]
_SECRET = {f"global-{name}" for name, setting in SETTINGS.items() if setting.secret}


def show(scope: str, layout: str = "stdout", flags: "list[str] | None" = None) -> None:
    """Print the report of an app, of `--global`, or of all apps. A flag asks for one value only."""
    if flags and len(flags) > 1:
        raise PluginError("scheduler-k3s:report command allows only a single flag")
    host = of_host()
    reports.each(scope, lambda one: _show_one(one, layout, flags[0] if flags else "", host))


def of_host() -> dict[str, str]:
    """Key and value, in byte order of the keys, as they are without an app."""
    found = {}
    for name, setting in SETTINGS.items():
        stored = properties.read(properties.GLOBAL, name)
        if setting.twin:
            found[f"global-{name}"] = stored
            found[f"computed-{name}"] = stored or setting.default
        else:
            found[f"global-{name}"] = stored if setting.secret else stored or setting.default
    for chart in charts.NAMES:
        for key, value in charts.overrides(chart).items():
            found[f"global-chart.{chart}.{key}"] = value
    return dict(sorted(found.items()))


def values(scope: str, host: "Mapping[str, str] | None" = None) -> "Mapping[str, str]":
    """The same for an app, which is not shown the token. Who asks for many reads `host` once: most of the work."""
    if host is None:
        host = of_host()
    if scope == properties.GLOBAL:
        return host
    set_ = set(properties.names(scope))
    found = {key: value for key, value in host.items() if key not in _SECRET}
    for name in _FOR_APPS:
        found[name] = own = properties.read(scope, name) if name in set_ else ""
        if own:
            found[f"computed-{name}"] = own
    return dict(sorted(found.items()))


def _show_one(scope: str, layout: str, flag: str, host: "Mapping[str, str]") -> None:
    if layout not in ("stdout", "json"):
        raise PluginError(f'Format must be "stdout" or "json": "{layout}"')
    reports.check_flag_and_format(flag, layout)
    found = values(scope, host)
    if flag:
        reports.answer(flag, {f"--{_PREFIX}{key}": value for key, value in found.items()})
    elif layout == "json":
        reports.as_json({**found, **{_PREFIX + key: value for key, value in found.items()}})
    else:
        width = max(reports.WIDTH, *(len(f"--{_PREFIX}{key}") for key in found))
        rows = [(_label(key), _HIDDEN if value and key in _SECRET else value) for key, value in found.items()]
        reports.fields(f"{scope} scheduler-k3s information", rows, width)


def _label(key: str) -> str:
    words = f"{_PREFIX}{key}".replace("-", " ").replace(".", " ")
    return f"{words[0].upper()}{words[1:]}:"
