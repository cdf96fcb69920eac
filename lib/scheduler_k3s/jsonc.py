"""JSON with `//` and `/* */` comments and trailing commas, as dokku reads app.json."""

import json
import re

from scheduler_k3s.errors import PluginError

_STRING = r'"(?:\\.|[^"\\\n])*"?'
_COMMENTS = re.compile(_STRING + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMAS = re.compile(_STRING + r"|[\[{:,]\s*,|,(?=\s*[}\]])", re.DOTALL)


def loads(text: str) -> object:
    """The value; the last of equal keys wins. Errors: PluginError with line and column."""
    plain = _COMMENTS.sub(_without_comment, text.replace("\ufeff", " ", 1) if text[:1] == "\ufeff" else text)
    plain = _TRAILING_COMMAS.sub(lambda found: " " if found[0] == "," else found[0], plain)
    try:
        return json.loads(plain, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise PluginError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except ValueError as error:
        raise PluginError(f"not JSON: {error}") from None
    except RecursionError:
        raise PluginError("nested too deeply") from None


def _without_comment(found: re.Match[str]) -> str:
    """Blanks in place of a comment: what follows keeps its line and column."""
    if found[0][0] == '"':
        return found[0]
    if found[0].startswith("/*") and not (len(found[0]) > 3 and found[0].endswith("*/")):
        line = found.string.count("\n", 0, found.start()) + 1
        column = found.start() - found.string.rfind("\n", 0, found.start())
        raise PluginError(f"line {line}, column {column}: the comment is not closed")
    return re.sub(r"[^\n]", " ", found[0])


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")
