"""builds: a record of each captured build."""

import os

from .. import host, log
from ..kinds import Commands, Triggers

DESCRIPTION = "dokku core builds plugin"


def generate_id(_words: list[str]) -> None:
    log.line(os.urandom(8).hex())


def _path(app: str, build: str) -> str:
    return host.data("builds", app, f"{build}.json")


def record_start(words: list[str]) -> None:
    import json

    app, build, pid, source = words
    record = {"id": build, "app": app, "pid": pid, "source": source, "status": "running"}
    host.write(_path(app, build), json.dumps(record), 0o600)


def record_finalize(words: list[str]) -> None:
    import json

    app, build, code = words
    if not os.path.exists(_path(app, build)):
        return
    record = json.loads(host.read(_path(app, build)))
    record["status"] = "succeeded" if code == "0" else "failed"
    host.write(_path(app, build), json.dumps(record), 0o600)


def post_delete(words: list[str]) -> None:
    host.remove(host.data("builds", words[0]))


TRIGGERS: Triggers = {
    "builds-generate-id": generate_id,
    "builds-record-finalize": record_finalize,
    "builds-record-start": record_start,
    "post-delete": post_delete,
}
COMMANDS: Commands = {}
