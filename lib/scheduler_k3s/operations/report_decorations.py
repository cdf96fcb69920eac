"""`scheduler-k3s:annotations:report` and `labels:report`."""

from scheduler_k3s import decorations, log, reports
from scheduler_k3s.dokku import properties

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL = "global"
"""How reports spell "all processes"; files and filters spell it --global."""


def show(
    prefix: str, scope: str, layout: str, flags: "Sequence[str]", *, process: str = "", resource: str = ""
) -> None:
    """Print what is set for an app, the global scope or all apps, of one process or resource type if named."""
    flag = reports.single(flags)
    reports.each(
        scope, lambda one: _show_one(prefix, one, layout, flag, groups(prefix, one, process, resource))
    )


def groups(prefix: str, scope: str, process: str = "", resource: str = "") -> dict[str, dict[str, str]]:
    """The maps by `<process>.<resource>`, in the order in which they are shown."""
    found = {}
    for name, group in decorations.files(properties.names(scope), prefix):
        of_process, _, of_resource = group.rpartition(".")
        if process in ("", of_process) and resource in ("", of_resource):
            shown = ALL if of_process == properties.GLOBAL else of_process
            found[f"{shown}.{of_resource}"] = properties.read_map(scope, name)
    return dict(sorted(found.items()))


def _show_one(
    prefix: str, scope: str, layout: str, flag: str, found: "Mapping[str, Mapping[str, str]]"
) -> None:
    what = decorations.noun(prefix)
    values = {f"{group}.{key}": value for group, entries in found.items() for key, value in entries.items()}
    reports.check_format(layout)
    reports.check_flag_and_format(flag, layout)
    if flag:
        reports.answer(flag, {f"--scheduler-k3s-{what}s.{key}": value for key, value in values.items()})
    elif layout == "json":
        reports.as_json(values)
    else:
        log.headline_quiet(f"{scope} {what}s information")
        for group, entries in found.items():
            _show_group(f"{what.capitalize()} ({'/'.join(group.rsplit('.', 1))})", entries)


def _show_group(title: str, entries: "Mapping[str, str]") -> None:
    reports.lines([(f"{title} {key}:", value) for key, value in sorted(entries.items())])
