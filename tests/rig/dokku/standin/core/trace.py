"""trace: whether every command traces itself."""

from .. import host, log
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core trace plugin"


def on(_words: list[str]) -> None:
    log.step_unless_quiet("Enabling trace mode")
    host.write(host.root(".dokkurc", "DOKKU_TRACE"), "export DOKKU_TRACE=1\n")


def off(_words: list[str]) -> None:
    log.step_unless_quiet("Disabling trace mode")
    host.remove(host.root(".dokkurc", "DOKKU_TRACE"))


TRIGGERS: Triggers = {}
COMMANDS: Commands = {"off": (off, ", Stop tracing commands"), "on": (on, ", Trace every command")}
