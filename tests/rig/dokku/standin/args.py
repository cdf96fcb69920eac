"""Command lines of the core plugins: long flags anywhere before `--`, some with a short form."""

from .log import Fail

Values = dict[str, list[str]]


class Parsed:
    """Flags by long name, and the words that are none."""

    def __init__(self, values: Values, words: list[str]) -> None:
        self.values = values
        self.words = words

    def on(self, name: str) -> bool:
        return name in self.values and self.values[name][-1] not in ("false", "0")

    def value(self, name: str, default: str = "") -> str:
        return self.values.get(name, [default])[-1]

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def word(self, index: int) -> str:
        return self.words[index] if index < len(self.words) else ""


def parse(words: list[str], flags: str = "", options: str = "", leading: bool = False) -> Parsed:
    """Takes `flags` (no value) and `options` (one value), named "tail|t num|n". `leading`: stop at the first word."""
    names = {
        alias: entry.split("|")[0] for entry in f"{flags} {options}".split() for alias in entry.split("|")
    }
    valued = {entry.split("|")[0] for entry in options.split()}
    found: Values = {}
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest += queue
            break
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if leading:
                rest += queue
                break
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if name not in names or (not word.startswith("--") and len(name) > 1):
            if name in ("quiet", "trace", "force"):
                continue
            raise Fail(f"unknown flag: {word.partition('=')[0]}", 2)
        if names[name] in valued and not equals:
            if not queue:
                raise Fail(f"flag needs an argument: {word}", 2)
            value = queue.pop(0)
        found.setdefault(names[name], []).append(value)
    return Parsed(found, rest)


def scope(parsed: Parsed) -> tuple[str, list[str]]:
    """The app (verified) or "--global", and the words after it, for a command that was given the flag `global`."""
    from . import apps

    if parsed.on("global"):
        return "--global", parsed.words
    return apps.verify(parsed.word(0)), parsed.words[1:]
