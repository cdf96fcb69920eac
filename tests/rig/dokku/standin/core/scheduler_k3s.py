"""scheduler-k3s: holds the place of the plugin that ships with dokku, for another one to take."""

from .. import log, triggers
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core k3s scheduler plugin"


def deploy(words: list[str]) -> int:
    if words[0] != "k3s":
        return 0
    log.headline("Shipped scheduler-k3s")
    app, tag = words[1:3]
    return triggers.fire("core-post-deploy", app, "", "", tag) or triggers.fire(
        "post-deploy", app, "", "", tag
    )


def app_status(words: list[str]) -> None:
    if words[0] == "k3s":
        log.line("0 false")


def uses_host_cron(words: list[str]) -> None:
    if words[0] == "k3s":
        log.line("false")


def show(_words: list[str]) -> None:
    log.headline_unless_quiet("shipped scheduler-k3s information")


TRIGGERS: Triggers = {
    "scheduler-app-status": app_status,
    "scheduler-deploy": deploy,
    "scheduler-uses-host-cron": uses_host_cron,
}
COMMANDS: Commands = {
    "": (show, ", Show the shipped plugin"),
    "report": (show, "[<app>] [<flag>], Show the shipped plugin's settings"),
}
