"""The words of a command, as a shell would pass them to a program, without running a shell.

Quotes, backslash, comments, braces, tilde, parameters, arithmetic and word splitting work as in bash;
file names are never looked up (`*` stays). What only a running shell can do is refused.
"""

from collections.abc import Mapping

from scheduler_k3s.errors import PluginError
from scheduler_k3s.shell import braces, scan
from scheduler_k3s.shell.expansion import Expansion, unquoted


class WordError(PluginError):
    """`<line>:<column>: <piece> is not a valid word`, the reason and the command; no variable's value."""


def expand(text: str, variables: Mapping[str, str]) -> list[str]:
    """The words of `text`. Names without a variable expand to nothing. Errors: WordError."""
    shell = Expansion(variables)
    place = 0
    try:
        found: list[str] = []
        for place, word in scan.words(text, scan.expanding_unit):  # noqa: B007
            choices = braces.expand(word)
            for choice in choices:
                found += shell.fields(choice, assignment=choices == [word])
        return found
    except scan.Refused as refused:
        raise _error(text, refused, place) from None
    except RecursionError:
        raise _error(text, scan.Refused(text[place:], "it is nested too deeply"), place) from None


def split(text: str) -> list[str]:
    """The words of `text` with the quotes removed and nothing expanded: `$X` stays `$X`. Errors: WordError."""
    try:
        return [
            "".join(piece.text for piece in unquoted(word)) for _, word in scan.words(text, scan.quoting_unit)
        ]
    except scan.Refused as refused:
        raise _error(text, refused, 0) from None


def _error(text: str, refused: scan.Refused, word: int) -> WordError:
    """`word`: the place of the word being expanded, for pieces that do not know their own."""
    at = refused.at
    if at is None:
        found = text.find(refused.piece, word)
        at = found if found >= 0 else word
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    piece = refused.piece.replace("\n", "\\n")
    command = text.strip().replace("\n", "\\n")
    return WordError(f"{line}:{column}: {piece} is not a valid word in `{command}`: {refused.reason}")
