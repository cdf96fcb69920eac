"""`scheduler-k3s:autoscaling-auth:report`."""

from scheduler_k3s import reports, trigger_auth
from scheduler_k3s.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Triggers = Mapping[str, Mapping[str, Secret]]

_HIDDEN = "*******"


def show(scope: str, layout: str, flags: "Sequence[str]", with_metadata: bool) -> None:
    """Print what is stored for an app, the global scope or all apps."""
    flag = reports.single(flags)
    reports.each(scope, lambda one: _show_one(one, layout, flag, with_metadata))


def _show_one(scope: str, layout: str, flag: str, with_metadata: bool) -> None:
    found = trigger_auth.stored(scope)
    values = {f"{trigger}.{key}": value for trigger, pairs in found.items() for key, value in pairs.items()}
    reports.check_format(layout)
    reports.check_flag_and_format(flag, layout)
    if flag:
        hidden = {key: _HIDDEN if value else "" for key, value in values.items()}
        reports.answer(
            flag, {f"--scheduler-k3s-autoscaling-auth.{key}": text for key, text in hidden.items()}
        )
    elif layout == "json":
        reports.as_json({key: value.reveal() for key, value in values.items()})
    else:
        reports.fields(f"{scope} autoscaling-auth information", _rows(found, with_metadata))


def _rows(found: "Triggers", with_metadata: bool) -> list[tuple[str, str]]:
    rows = []
    for trigger, pairs in found.items():
        title = trigger[0].upper() + trigger[1:]
        rows.append((f"{title}:", "configured"))
        if with_metadata:
            rows += [(f"{title} {key}:", value.reveal()) for key, value in pairs.items()]
    return rows
