"""What every entry point of every core plugin runs: finds the plugin by its directory, the handler by its name."""

import os
import sys

from . import log
from .kinds import Commands, Triggers


def module_name(plugin: str) -> str:
    """20_events cannot be a module's name, nor can a dash be in one."""
    return "events" if plugin == "20_events" else plugin.replace("-", "_")


def ignore_no_signal() -> None:
    """Python ignores two signals, and its children would inherit that; dokku's programs ignore none."""
    import _signal  # type: ignore[import-not-found]  # `signal` imports enum, for 5 ms

    for signal in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(signal, _signal.SIG_DFL)


def main() -> int:
    ignore_no_signal()
    directory, name = os.path.split(sys.argv[0])
    is_command = os.path.basename(directory) == "subcommands"
    plugin = os.path.basename(os.path.dirname(directory) if is_command else directory)
    module = __import__(f"standin.core.{module_name(plugin)}", fromlist=["TRIGGERS"])
    try:
        if is_command:
            commands: Commands = module.COMMANDS
            return commands["" if name == "default" else name][0](sys.argv[2:]) or 0
        triggers: Triggers = module.TRIGGERS
        return triggers[name](sys.argv[1:]) or 0
    except log.Fail as failure:
        if failure.message:
            log.warn(failure.message)
        return failure.code
    except KeyboardInterrupt:
        return 130
