"""20_events: listens to most triggers, prints nothing, logs them if DOKKU_EVENTS is set."""

import os
import sys

from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core events plugin"
HEARD = [
    "core-post-deploy",
    "core-post-extract",
    "post-app-clone-setup",
    "post-app-rename-setup",
    "post-certs-remove",
    "post-certs-update",
    "post-config-update",
    "post-create",
    "post-delete",
    "post-deploy",
    "post-domains-update",
    "pre-delete",
    "scheduler-deploy",
    "scheduler-stop",
]


def hear(words: list[str]) -> None:
    if os.environ.get("DOKKU_EVENTS"):
        name = os.path.basename(sys.argv[0])
        with open(os.environ["DOKKU_EVENTS_LOGFILE"], "a") as file:
            file.write(f"{name}({' '.join(words)})\n")


TRIGGERS: Triggers = dict.fromkeys(HEARD, hear)
COMMANDS: Commands = {}
