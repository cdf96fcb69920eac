"""The shell's patterns (`*`, `?`, `[...]`) as regular expressions. A backslash makes the next character plain."""

import re

_NOTHING = r"[^\s\S]"
_CLASSES = {
    "alpha": r"[^\W\d_]",
    "digit": "[0-9]",
    "alnum": r"[^\W_]",
    "upper": "[A-Z]",
    "lower": "[a-z]",
    "space": r"\s",
    "blank": r"[ \t]",
    "punct": r"[!-/:-@\[-`{-~]",
    "xdigit": "[0-9a-fA-F]",
}


def compiled(pattern: str, *, before: str = "", after: str = "", lazy: bool = False) -> re.Pattern[str]:
    """`before` and `after` are regular expressions around it; `lazy` makes `*` match as little as it can.

    A range from high to low matches nothing.
    """
    try:
        return re.compile(before + _translated(pattern, ".*?" if lazy else ".*") + after, re.DOTALL)
    except re.error:
        return re.compile(_NOTHING)


def _translated(pattern: str, star: str) -> str:
    result = ""
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and at + 1 < len(pattern):
            at += 1
            result += re.escape(pattern[at])
        elif pattern[at] == "[" and (end := _class_end(pattern, at)):
            result += _class(pattern[at + 1 : end])
            at = end
        else:
            result += {"*": star, "?": "."}.get(pattern[at]) or re.escape(pattern[at])
        at += 1
    return result


def _class_end(pattern: str, start: int) -> int:
    """The place of the bracket that ends the class, 0 without one. A bracket right at the start is a member."""
    at = start + 1
    if pattern[at : at + 1] in ("!", "^"):
        at += 1
    first = at
    while at < len(pattern):
        if pattern[at] == "]" and at > first:
            return at
        if pattern.startswith("[:", at) and (close := pattern.find(":]", at)) > 0:
            at = close + 1
        at += 2 if pattern[at] == "\\" else 1
    return 0


def _class(body: str) -> str:
    negated = body[0] in "!^"
    at = 1 if negated else 0
    members = ""
    classes: list[str] = []
    while at < len(body):
        if body.startswith("[:", at) and (close := body.find(":]", at)) > 0:
            classes.append(_CLASSES.get(body[at + 2 : close], _NOTHING))
            at = close + 2
            continue
        if body[at] == "-" and members and at + 1 < len(body):
            members += "-"
        else:
            at += 1 if body[at] == "\\" and at + 1 < len(body) else 0
            members += re.escape(body[at])
        at += 1
    choices = "|".join(classes + ([f"[{members}]"] if members else []))
    return f"(?!{choices})." if negated else f"(?:{choices})"
