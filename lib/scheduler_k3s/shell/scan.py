"""Where the words of a command begin and end, and the lexical units inside a word."""

from collections.abc import Callable

BLANKS = " \t"
METACHARACTERS = " \t\n|&;()<>"
NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
NAME = NAME_START | frozenset("0123456789")
SPECIAL = frozenset("@*#?-$!0123456789")
_OPERATORS = ("<<<", "&>>", "&&", "||", ";;", "|&", "&>", ">>", "<<", ">&", "<&", ">|", "<>")
_NEEDS_SHELL = "no shell runs this command; write sh -c '...' around it for that"

Unit = Callable[[str, int], int]


class Refused(Exception):
    """A piece of a command that makes no words. `at` is its place in the text, where that is known."""

    def __init__(self, piece: str, reason: str, at: int | None = None) -> None:
        super().__init__(piece)
        self.piece = piece
        self.reason = reason
        self.at = at


def words(text: str, unit: Unit) -> list[tuple[int, str]]:
    """The words as written, each with its place. `unit` says where the unit at a place ends."""
    found: list[tuple[int, str]] = []
    line_end: int | None = None
    at = 0
    while at < len(text):
        if text[at] in BLANKS:
            at += 1
        elif text.startswith("\\\n", at):
            at += 2
        elif text[at] == "\n":
            if found and line_end is None:
                line_end = at
            at += 1
        elif text[at] == "#":
            at = _find(text, "\n", at, len(text))
        elif text[at] in METACHARACTERS:
            operator = next((o for o in _OPERATORS if text.startswith(o, at)), text[at])
            raise Refused(operator, _NEEDS_SHELL, at)
        elif line_end is not None:
            raise Refused("\\n", f"a second line is a second command, and {_NEEDS_SHELL}", line_end)
        else:
            start = at
            while at < len(text) and text[at] not in METACHARACTERS:
                at = unit(text, at)
            found.append((start, text[start:at]))
    return found


def expanding_unit(text: str, at: int, quoted: bool = False) -> int:
    """The end of the quotation, expansion or character at `at`; `quoted`: inside double quotes."""
    if text[at] == "\\":
        return min(at + 2, len(text))
    if text[at] == "`":
        piece = text[at : _find(text, "`", at + 1, len(text)) + 1]
        raise Refused(piece, _NEEDS_SHELL, at)
    if text[at] == '"':
        return _double_quotes(text, at, at + 1)
    if text[at] == "'" and not quoted:
        return _single_quotes(text, at)
    if text[at] == "$":
        return _dollar(text, at, quoted)
    return at + 1


def quoting_unit(text: str, at: int) -> int:
    """As `expanding_unit`, for a language without expansions: `$` and, in quotes, backticks stand for themselves."""
    if text.startswith("$(", at):
        raise Refused(_command_substitution(text, at), _NEEDS_SHELL, at)
    if text[at] == '"' or text.startswith('$"', at):
        start = at + 1 if text[at] == '"' else at + 2
        end = start
        while end < len(text) and text[end] != '"':
            end += 2 if text[end] == "\\" else 1
        return _closed(text, at, end)
    if text[at] == "$" and not text.startswith("$'", at):
        return at + 1
    return expanding_unit(text, at)


def name_end(text: str, at: int) -> int:
    """The end of the variable name or special parameter at `at`; `at` itself when there is none."""
    if at < len(text) and text[at] in NAME_START:
        while at < len(text) and text[at] in NAME:
            at += 1
        return at
    return at + 1 if at < len(text) and text[at] in SPECIAL else at


def _dollar(text: str, at: int, quoted: bool) -> int:
    follower = text[at + 1 : at + 2]
    if follower == "{":
        return _parameter(text, at, quoted)
    if follower == "(":
        return _arithmetic(text, at)
    if follower == "[":
        raise Refused("$[", "arithmetic is written $((...))", at)
    if follower == "'" and not quoted:
        end = at + 2
        while end < len(text) and text[end] != "'":
            end += 2 if text[end] == "\\" else 1
        return _closed(text, at, end)
    if follower == '"' and not quoted:
        return _double_quotes(text, at, at + 2)
    return name_end(text, at + 1)


def _parameter(text: str, at: int, quoted: bool) -> int:
    """Single quotes in the word of `"${X:-word}"` are plain characters, in a pattern they are quotes."""
    end = at + 2
    while end < len(text) and text[end] in "#!":
        end += 1
    while end < len(text) and text[end] in NAME:
        end += 1
    plain_single_quotes = quoted and text[end : end + 1] not in ("#", "%", "/", "^", ",")
    while end < len(text) and text[end] != "}":
        end = expanding_unit(text, end, plain_single_quotes)
    if end >= len(text):
        raise Refused(text[at:], "the brace is not closed", at)
    return end + 1


def _arithmetic(text: str, at: int) -> int:
    if not text.startswith("$((", at):
        raise Refused(_command_substitution(text, at), _NEEDS_SHELL, at)
    depth = 0
    end = at + 3
    while end < len(text):
        if text[end] == ")" and depth == 0:
            break
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end = expanding_unit(text, end, quoted=True)
    if text.startswith("))", end):
        return end + 2
    raise Refused(_command_substitution(text, at), _NEEDS_SHELL, at)


def _command_substitution(text: str, at: int) -> str:
    depth = 0
    for end in range(at + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[at : end + 1]
    return text[at:]


def _single_quotes(text: str, at: int) -> int:
    return _closed(text, at, _find(text, "'", at + 1, len(text)))


def _double_quotes(text: str, at: int, end: int) -> int:
    while end < len(text) and text[end] != '"':
        end = expanding_unit(text, end, quoted=True)
    return _closed(text, at, end)


def _closed(text: str, at: int, end: int) -> int:
    if end >= len(text):
        raise Refused(text[at:], "the quotation is not closed", at)
    return end + 1


def _find(text: str, what: str, start: int, default: int) -> int:
    found = text.find(what, start)
    return default if found < 0 else found
