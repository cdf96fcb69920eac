"""What the commands that only read and write properties cost, and a report over a thousand apps against one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.host import CHECKOUT

from .measure import INTERPRETER, Row, cost, in_turns

APPS = 1000
RUNS = 15
_COMMANDS = CHECKOUT / "subcommands"
_OF_ALL = {
    "report": ("report",),
    "report --format json": ("report", "--format", "json"),
    "annotations:report": ("annotations:report",),
    "autoscaling-auth:report": ("autoscaling-auth:report",),
}


def rows() -> Iterator[Row]:
    with _host() as env:

        def wall(command: str, *words: str) -> float:
            return cost((str(_COMMANDS / command), f"scheduler-k3s:{command}", *words), env).wall

        floor, report, set_, annotate = in_turns(
            RUNS,
            lambda: cost(INTERPRETER).wall,
            lambda: wall("report", "app-7"),
            lambda: wall("set", "app-7", "namespace", "team-b"),
            lambda: wall("annotations:set", "app-7", "example.com/a", "b", "--resource-type", "pod"),
        )
        for name, samples in (("report of one app", report), ("set", set_), ("annotations:set", annotate)):
            yield Row(name, "python3 -IS -c pass", "ms", samples, floor, 4.0)
        for name, (command, *words) in _OF_ALL.items():
            one, all_ = in_turns(
                RUNS,
                lambda command=command, words=words: wall(command, "app-7", *words),  # type: ignore[misc]
                lambda command=command, words=words: wall(command, *words),  # type: ignore[misc]
            )
            yield Row(f"{name} of {APPS} apps", "of one", "ms", all_, one, 20.0)


@contextmanager
def _host() -> Iterator[dict[str, str]]:
    """The two trees that these commands look at, of a host whose apps each have four properties of their own."""
    with tempfile.TemporaryDirectory() as directory:
        root, lib = Path(directory) / "home", Path(directory) / "lib"
        store = lib / "config" / "scheduler-k3s"
        for folder in (lib / "plugins" / "enabled", store / "--global"):
            folder.mkdir(parents=True)
        (store / "--global" / "letsencrypt-email-prod").write_text("admin@example.com")
        for number in range(APPS):
            (root / f"app-{number}").mkdir(parents=True)
            own = store / f"app-{number}"
            own.mkdir()
            (own / "namespace").write_text("team-a")
            (own / "deploy-timeout").write_text("600")
            (own / "web.deployment").write_text('{"example.com/team":"payments"}')
            (own / "trigger-auth.datadog.apiKey").write_text("0123")
        yield {
            "PATH": os.environ["PATH"],
            "DOKKU_ROOT": str(root),
            "DOKKU_LIB_ROOT": str(lib),
            "PLUGIN_PATH": f"{lib}/plugins",
            "PLUGIN_ENABLED_PATH": f"{lib}/plugins/enabled",
        }
