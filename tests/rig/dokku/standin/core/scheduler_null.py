"""scheduler-null: deploys nothing."""

from .. import log
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core null scheduler plugin"


def app_status(words: list[str]) -> None:
    if words[0] == "null":
        log.line("0 true")


def uses_host_cron(words: list[str]) -> None:
    if words[0] == "null":
        log.line("false")


TRIGGERS: Triggers = {"scheduler-app-status": app_status, "scheduler-uses-host-cron": uses_host_cron}
COMMANDS: Commands = {}
