"""Which system charts a run installs, and at which version. Pure.

Nothing goes back to an older version unless the chart is named and forced, and longhorn never: it cannot read what
a newer one of it has written.
"""

from collections.abc import Collection
from dataclasses import dataclass

from scheduler_k3s import semver
from scheduler_k3s.charts import Chart
from scheduler_k3s.errors import PluginError

UNFINISHED = frozenset(
    {
        "failed",
        "pending-install",
        "pending-upgrade",
        "pending-rollback",
        "uninstalling",
        "uninstalled",
        "unknown",
    }
)
_NOT_WITH_CLASS = {"traefik": "nginx", "ingress-nginx": "traefik"}
_ONE_WAY = ("longhorn",)


@dataclass(frozen=True)
class Wishes:
    """What the administrator asked for: `names` and `force` now, the rest by properties.

    `is_external` says that the cluster is not one of ours: others may have installed there what charts contain.
    """

    names: Collection[str]
    force: bool
    ingress_class: str
    disabled: Collection[str]
    is_external: bool


@dataclass(frozen=True)
class Installed:
    """The newest revision of a release; without one, `version` and `status` are empty.

    `problem` is why that cannot be told.
    """

    version: str = ""
    status: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Decision:
    """`line` is what is said, as a warning or not; `version` what to install, "" for nothing; `note` a word more."""

    line: str
    version: str = ""
    note: str = ""
    is_warning: bool = False


def decide(chart: Chart, wishes: Wishes, installed: Installed) -> Decision:
    """The first rule that applies. Errors: PluginError when a chart is forced whose release cannot be read."""
    is_named = chart.name in wishes.names
    if _NOT_WITH_CLASS.get(chart.name) == wishes.ingress_class:
        return Decision("Skipping chart due to ingress-class mismatch")
    if chart.name in wishes.disabled and not is_named:
        return Decision("Skipping chart: disabled")
    if wishes.force:
        return _forced("Force installing chart", chart, installed, may_go_back=is_named)
    if is_named:
        return _forced("Force installing chart due to flag", chart, installed)
    if wishes.is_external:
        return Decision("Skipping chart: on an external cluster only those in --charts are installed")
    if problem := _problem(installed):
        return Decision(f"Unable to get installed revision: {problem}", is_warning=True)
    if not installed.version or installed.status in UNFINISHED:
        return _forced("Installing missing chart", chart, installed)
    return _by_version(chart, installed.version)


def _by_version(chart: Chart, installed: str) -> Decision:
    if semver.parse(installed) > semver.parse(chart.version):
        line = f"{chart.name} {installed} is newer than {chart.version}, left alone"
        return Decision(line, is_warning=True)
    if semver.parse(installed) < semver.parse(chart.version):
        line = f"Installing chart due to version mismatch: {installed} != {chart.version}"
        return Decision(line, chart.version)
    return Decision("Skipping chart: already installed")


def _forced(line: str, chart: Chart, installed: Installed, may_go_back: bool = False) -> Decision:
    if problem := _problem(installed):
        raise PluginError(f"Unable to get installed revision: {problem}")
    if not installed.version or semver.parse(installed.version) <= semver.parse(chart.version):
        return Decision(line, chart.version)
    if may_go_back and chart.name not in _ONE_WAY:
        return Decision(line, chart.version, f"Going back from {installed.version} to {chart.version}")
    why = ", and never goes back" if chart.name in _ONE_WAY else ""
    note = f"Keeping version {installed.version}, which is newer than {chart.version}{why}"
    return Decision(line, installed.version, note)


def _problem(installed: Installed) -> str:
    """Why the versions cannot be compared, "" when they can."""
    if not installed.problem and installed.version:
        try:
            semver.parse(installed.version)
        except ValueError as error:
            return str(error)
    return installed.problem
