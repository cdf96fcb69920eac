"""The words after a command's name. Rules and texts are those of Go's pflag, as in dokku's own plugins."""

import os
import sys

from scheduler_k3s.errors import PluginError
from scheduler_k3s.synopses import BOOL, COMMANDS, LIST, MAP, NUMBER, Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

GLOBAL = "--global"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")


class Arguments:
    """What the user said. `scope` is an app, `--global` or "" when none was named; `words` are the others."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.scope = ""
        self.words: list[str] = []
        self.info: list[str] = []
        self._values: dict[str, list[str]] = {}
        self._pairs: dict[str, dict[str, str]] = {}

    def word(self, index: int) -> str:
        return self.words[index] if index < len(self.words) else ""

    def given(self, flag: str) -> bool:
        return flag in self._values or flag in self._pairs

    def text(self, flag: str) -> str:
        return self._values[flag][-1] if flag in self._values else self._flag(flag).default

    def on(self, flag: str) -> bool:
        return self.text(flag) in _TRUE

    def number(self, flag: str) -> int:
        return int(self.text(flag))

    def items(self, flag: str) -> list[str]:
        return self._values.get(flag, [])

    def pairs(self, flag: str) -> dict[str, str]:
        return self._pairs.get(flag, {})

    def store(self, flag: Flag, text: str) -> None:
        """Errors: ValueError with the reason."""
        if flag.kind == MAP:
            self._pairs.setdefault(flag.name, {}).update(_pairs(text))
        elif flag.kind == LIST:
            self._values.setdefault(flag.name, []).extend(_csv(text))
        else:
            if flag.kind == BOOL and text not in _TRUE + _FALSE:
                raise ValueError("must be true or false")
            if flag.kind == NUMBER and not _is_integer(text):
                raise ValueError("must be a whole number")
            self._values[flag.name] = [text]

    def _flag(self, name: str) -> Flag:
        return next(flag for flag in self.command.flags if flag.name == name)


def parse(name: str, appendix: "Callable[[Sequence[str]], list[str]] | None" = None) -> Arguments:
    """Read the command line. `--help` ends with SystemExit(0), after more lines of `appendix` for the other words.

    Errors: PluginError with exit code 2, after the usage on stderr.
    """
    found = Arguments(COMMANDS[name])
    rest = without_global_flags(sys.argv[2:], found.command)
    positionals: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            positionals += rest
            break
        if found.command.info and word.startswith(found.command.info):
            found.info.append(word)
        elif word in ("--help", "-h"):
            _help(found.command, appendix(positionals + rest) if appendix else [])
        elif word.startswith("--"):
            _take_flag(found, word, rest)
        elif len(word) > 1 and word[0] == "-" and not word[1].isdigit():
            fail(found.command, f"unknown shorthand flag: '{word[1]}' in {word}")
        else:
            positionals.append(word)
    if found.command.scope == "global" and found.on("global"):
        found.scope = GLOBAL
    else:
        positionals = _take_scope(found, positionals)
    _take_words(found, positionals)
    return found


def parse_report(name: str) -> Arguments:
    """Read the command line of `report` and `charts:report`, which know `--format X` and `--global` only.

    Anything else that begins with `--` asks for one value of the report, `--help` too unless it stands alone; it
    is found in `info`.
    """
    found = Arguments(COMMANDS[name])
    rest = without_global_flags(sys.argv[2:], found.command)
    if rest in (["--help"], ["-h"]):
        _help(found.command)
    positionals: list[str] = []
    is_global = False
    while rest:
        word = rest.pop(0)
        if word == "--format":
            _take_flag(found, word, rest)
        elif word == GLOBAL:
            is_global = True
        elif word.startswith("--"):
            found.info.append(word)
        else:
            positionals.append(word)
    if is_global and found.command.scope:
        found.scope, positionals = GLOBAL, positionals[1:]
    else:
        positionals = _take_scope(found, positionals)
    _take_words(found, positionals)
    return found


def without_global_flags(words: "Sequence[str]", command: Command) -> list[str]:
    """The words without dokku's own flags, which it leaves in the argument list of plugins that are not core.

    `--app X` may stand once; dokku has put X into DOKKU_APP_NAME. Words after `--` are the user's.
    """
    end = words.index("--") if "--" in words else len(words)
    mine, kept = list(words[:end]), list(words[end:])
    for index, word in enumerate(mine):
        if word == "--app" or word.startswith("--app="):
            del mine[index : index + (2 if word == "--app" else 1)]
            break
    dropped = {"--quiet", "--trace"} | ({"--force"} - {f"--{flag.name}" for flag in command.flags})
    return [word for word in mine if word not in dropped] + kept


def app_flag() -> str:
    """The app named by `dokku --app`."""
    return os.environ.get("DOKKU_APP_NAME", "")


def fail(command: Command, message: str) -> "NoReturn":
    """End with the usage and a message, as for any wrong command line."""
    _print_usage(command)
    raise PluginError(message, 2)


def _take_flag(found: Arguments, word: str, rest: list[str]) -> None:
    name, equals, text = word[2:].partition("=")
    if not name or name.startswith("-"):
        fail(found.command, f"bad flag syntax: {word}")
    flag = next((flag for flag in found.command.flags if flag.name == name), None)
    if flag is None:
        fail(found.command, f"unknown flag: --{name}" + _nearest(name, found.command))
    if not equals and flag.kind == BOOL:
        text = "true"
    elif not equals:
        if not rest:
            fail(found.command, f"flag needs an argument: --{name}")
        text = rest.pop(0)
    try:
        found.store(flag, text)
    except ValueError as error:
        fail(found.command, f'invalid argument "{text}" for "--{name}" flag: {error}')


def _take_scope(found: Arguments, words: list[str]) -> list[str]:
    """Take the app off the words: the one of `dokku --app`, else the first word."""
    if not found.command.scope:
        return words
    if app_flag():
        words = [app_flag(), *words]
    found.scope = words[0] if words else ""
    return words[1:]


def _take_words(found: Arguments, words: list[str]) -> None:
    limit = found.command.words
    if len(words) > limit:
        fail(found.command, f"Unexpected argument: {words[limit]}" + _nearest(words[limit], found.command))
    found.words = words


def _nearest(name: str, command: Command) -> str:
    import difflib

    close = difflib.get_close_matches(name, [flag.name for flag in command.flags], 1)
    return f", did you mean --{close[0]}?" if close else ""


def _help(command: Command, appendix: "Sequence[str]" = ()) -> "NoReturn":
    _print_usage(command, appendix)
    sys.exit(0)


def _print_usage(command: Command, appendix: "Sequence[str]" = ()) -> None:
    from scheduler_k3s import usage

    print("\n".join([*usage.lines(command), *appendix]), file=sys.stderr)


def _is_integer(text: str) -> bool:
    digits = text[1:] if text[:1] in ("+", "-") else text
    return digits.isascii() and digits.isdigit()


def _csv(text: str) -> list[str]:
    if '"' not in text:
        return text.split(",") if text else []
    import csv

    try:
        return next(csv.reader(text.splitlines(keepends=True), strict=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _pairs(text: str) -> dict[str, str]:
    """One `=`: the text is one pair. More: a list of pairs, where a value with a comma needs quotes."""
    count = text.count("=")
    pairs = [text.strip('"')] if count == 1 else _csv(text) if count else [text]
    for pair in pairs:
        if "=" not in pair:
            raise ValueError(f"{pair} must be formatted as key=value")
    return dict(pair.split("=", 1) for pair in pairs)
