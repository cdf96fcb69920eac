"""The help texts. dokku sorts and lays out the lines of all plugins at commas, so each line has exactly one."""

import os

from scheduler_k3s.synopses import COMMANDS, SUMMARY, Command


def full(plugin: str) -> list[str]:
    """What `dokku scheduler-k3s:help` prints. `plugin` is the plugin's directory."""
    known = _available(plugin)
    width = max(len(command.synopsis) for command in known)
    lines = [f"    {command.synopsis:<{width}}  {command.summary}" for command in known]
    return ["Usage: dokku scheduler-k3s[:COMMAND]", "", SUMMARY, "", "Additional commands:", *lines]


def for_dokku(plugin: str) -> list[str]:
    """What `dokku help` collects: a line for the plugin, or under `--all` one for each command."""
    if not _asked_for_all():
        return [f"    scheduler-k3s, {SUMMARY}"]
    return [f"    {_without_commas(command.synopsis)}, {command.summary}" for command in _available(plugin)]


def _available(plugin: str) -> list[Command]:
    return [
        command for name, command in COMMANDS.items() if os.access(f"{plugin}/subcommands/{name}", os.X_OK)
    ]


def _without_commas(synopsis: str) -> str:
    return synopsis.replace("[,NAME...]", "...")


def _asked_for_all() -> bool:
    """dokku does not pass `--all` on: it stands in the command line of our parent only."""
    try:
        with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
            return b"--all" in file.read().split(b"\0")
    except OSError:
        return False
