"""enter: a command in a running process."""

from .. import apps, triggers
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core enter plugin"


def enter(words: list[str]) -> int:
    """<app> [<type>] [--] <cmd>. A container id given with --container-id gets lost."""
    given = [word for word in words if word not in ("--quiet", "--trace")]
    app = apps.verify(given[0] if given else "")
    rest = given[1:]
    if rest[:1] == ["--container-id"]:
        rest = rest[2:]
    kind, command = rest[:1], rest[1:]
    if kind and command[:1] == ["--"]:
        command = command[1:]
    return triggers.fire("scheduler-enter", triggers.scheduler(app), app, *kind, "--", *command)


TRIGGERS: Triggers = {}
COMMANDS: Commands = {"": (enter, "<app> [<process-type>] [--] [<cmd>], Run a command in a running process")}
