"""Build capture: what a deploy prints goes through pipes into `tee`, and is recorded."""

import os
import sys

from . import host, log, triggers
from .log import Fail


class Build:
    """While entered, this process and its children write into pipes whose other ends show and record the text."""

    def __init__(self, app: str, source: str) -> None:
        self.app = app
        self.source = source
        self.outer = bool(os.environ.get("DOKKU_BUILD_ID"))

    def __enter__(self) -> None:
        if self.outer:
            return
        self.id = triggers.ask("builds-generate-id")
        record = host.data("builds", self.app, f"{self.id}.log")
        host.write(record, "")
        os.environ.update(
            DOKKU_BUILD_ID=self.id,
            DOKKU_BUILD_SOURCE=self.source,
            DOKKU_BUILD_LOG_FILE=record,
            DOKKU_REDIRECT_OUTPUT="true",
        )
        triggers.must_fire(
            "builds-record-start", self.app, self.id, os.environ.get("DOKKU_PID", ""), self.source
        )
        sys.stdout.flush()
        self.saved = {stream: os.dup(stream) for stream in (1, 2)}
        self.tees = [self._divert(stream, record) for stream in (1, 2)]

    def _divert(self, stream: int, record: str) -> int:
        reading, writing = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, self.saved[stream], 1)]
        pid = os.posix_spawnp("tee", ["tee", "-a", record], os.environ, file_actions=actions)
        os.close(reading)
        os.dup2(writing, stream)
        os.close(writing)
        return pid

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self.outer:
            return
        if isinstance(error, Fail) and error.message and self.source != "config-redeploy":
            log.warn(error.message)
        sys.stdout.flush()
        for stream, saved in self.saved.items():
            os.dup2(saved, stream)
            os.close(saved)
        for pid in self.tees:
            os.waitpid(pid, 0)
        code = error.code if isinstance(error, Fail) else 0 if error is None else 1
        triggers.fire("builds-record-finalize", self.app, self.id, str(code))
        for name in ("ID", "SOURCE", "LOG_FILE"):
            os.environ.pop(f"DOKKU_BUILD_{name}", None)
        os.environ.pop("DOKKU_REDIRECT_OUTPUT", None)
        if isinstance(error, Fail) and self.source != "config-redeploy":
            error.message = ""
