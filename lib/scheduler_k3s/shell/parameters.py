"""Parameter expansion: what stands between the braces of `${...}`."""

from typing import TYPE_CHECKING, NamedTuple

from scheduler_k3s.shell.scan import Refused, expanding_unit, name_end

if TYPE_CHECKING:
    from scheduler_k3s.shell.expansion import Expansion


class Piece(NamedTuple):
    """A part of a word. Quoted text stays as it is; `splits`: blanks in it end the word."""

    text: str
    quoted: bool = False
    splits: bool = False


def substitute(body: str, shell: "Expansion", quoted: bool) -> list[Piece]:
    """`quoted`: inside double quotes. Errors: Refused for a form unknown here, or `${X:?...}` without X."""
    if body[0:1] == "#" and len(body) > 1 and name_end(body, 1) == len(body):
        return [Piece(str(len(shell.value(body[1:]) or "")), splits=True)]
    end = name_end(body, 0)
    name, rest = body[:end], body[end:]
    if not name:
        raise _bad(body)
    value = shell.value(name)
    operator = rest[:1]
    if not rest:
        return _plain(value)
    if operator == ":" and rest[1:2] and rest[1] in "-=+?":
        return _alternative(body, value or None, rest[1:], shell, quoted)
    if operator in "-=+?":
        return _alternative(body, value, rest, shell, quoted)
    if operator == ":" and len(rest) > 1:
        return _plain(_substring(body, value or "", rest[1:], shell))
    if operator in "%#":
        return _plain(_trimmed(value or "", rest, shell))
    if operator == "/":
        return _plain(None if value is None else _replaced(value, rest, shell))
    if operator in "^,":
        return _plain(_recased(value or "", rest, shell))
    raise _bad(body)


def _bad(body: str) -> Refused:
    return Refused("${" + body + "}", "it is no parameter expansion known here")


def _plain(value: str | None) -> list[Piece]:
    return [Piece(value or "", splits=True)]


def _alternative(body: str, value: str | None, rest: str, shell: "Expansion", quoted: bool) -> list[Piece]:
    name, operator, word = body[: name_end(body, 0)], rest[0], rest[1:]
    if operator == "+":
        return shell.operand(word, quoted) if value is not None else _plain(None)
    if value is not None:
        return _plain(value)
    if operator == "?":
        raise Refused("${" + body + "}", f"{name} is not set")
    if operator == "-":
        return shell.operand(word, quoted)
    shell.assign(name, "".join(piece.text for piece in shell.operand(word, quoted)), body)
    return _plain(shell.value(name))


def _substring(body: str, value: str, rest: str, shell: "Expansion") -> str:
    offset_text, length_text = _divided_range(rest)
    offset = shell.number(offset_text)
    if offset < 0:
        offset += len(value)
    if not 0 <= offset <= len(value):
        return ""
    if length_text is None:
        return value[offset:]
    length = shell.number(length_text)
    end = offset + length if length >= 0 else len(value) + length
    if end < offset:
        raise Refused("${" + body + "}", "the end lies before the start")
    return value[offset:end]


def _divided_range(text: str) -> tuple[str, str | None]:
    """At the first colon that belongs to no `?:` and stands in no parentheses."""
    open_conditions = depth = at = 0
    while at < len(text):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if text[at] == "?":
            open_conditions += 1
        elif text[at] == ":" and depth == 0:
            if not open_conditions:
                return text[:at], text[at + 1 :]
            open_conditions -= 1
        at = expanding_unit(text, at, quoted=True)
    return text, None


def _trimmed(value: str, rest: str, shell: "Expansion") -> str:
    from scheduler_k3s.shell.patterns import compiled

    longest = rest[1:2] == rest[0]
    pattern = shell.pattern(rest[2 if longest else 1 :])
    if rest[0] == "#":
        found = compiled(pattern, lazy=not longest).match(value)
        return value[found.end() :] if found else value
    found = compiled(pattern, before="(.*?)" if longest else "(.*)", after=r"\Z").match(value)
    return found.group(1) if found else value


def _replaced(value: str, rest: str, shell: "Expansion") -> str:
    """`&` in the replacement stands for itself, as in every bash before 5.2."""
    from scheduler_k3s.shell.patterns import compiled

    mode = rest[1:2] if rest[1:2] in ("/", "#", "%") else ""
    text = rest[1 + len(mode) :]
    at = 0
    while at < len(text) and text[at] != "/":
        at = expanding_unit(text, at)
    pattern = shell.pattern(text[:at])
    replacement = "".join(piece.text for piece in shell.pieces(text[at + 1 :]))
    if not pattern:
        return {"#": replacement + value, "%": value + replacement}.get(mode, value)
    expression = compiled(pattern, after=r"\Z" if mode == "%" else "")
    if mode == "#":
        found = expression.match(value)
        return replacement + value[found.end() :] if found else value
    result, start = "", 0
    while found := expression.search(value, start):
        result += value[start : found.start()] + replacement
        start = found.end()
        if mode != "/" or start == len(value):
            break
    return result + value[start:]


def _recased(value: str, rest: str, shell: "Expansion") -> str:
    from scheduler_k3s.shell.patterns import compiled

    every = rest[1:2] == rest[0]
    pattern = compiled(shell.pattern(rest[2 if every else 1 :]) or "?")
    end = len(value) if every else 1
    changed = (
        (c.upper() if rest[0] == "^" else c.lower()) if pattern.fullmatch(c) else c for c in value[:end]
    )
    return "".join(changed) + value[end:]
