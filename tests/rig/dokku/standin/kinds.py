"""Types of what a core plugin's module declares."""

from _collections_abc import Callable

# A trigger gets the words after its name, a command those after the command's name. None means exit code 0.
Handler = Callable[[list[str]], "int | None"]
Triggers = dict[str, Handler]
# Command name after the colon ("" is the bare plugin name) -> handler and help, "<arguments>, <summary>".
Commands = dict[str, tuple[Handler, str]]
