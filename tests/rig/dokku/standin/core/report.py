"""report: what all plugins have to say about an app."""

from .. import apps, args, triggers
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core report plugin"


def show(words: list[str]) -> None:
    parsed = args.parse(words)
    for app in [apps.verify(parsed.word(0))] if parsed.words else apps.verified_all():
        triggers.must_fire("report", app)


TRIGGERS: Triggers = {}
COMMANDS: Commands = {"": (show, "[<app>], Show all that is known of apps")}
