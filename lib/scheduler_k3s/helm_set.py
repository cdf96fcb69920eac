"""helm's `--set key=value`, for one assignment: the key as helm reads it, the value whole.

helm itself splits a value at commas; here commas, `=` and newlines are part of it. A backslash makes the next
letter an ordinary one, as with helm, so what was escaped for helm means the same.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

Tree = dict[str, Any]

_LARGEST_INDEX = 65536
_INT64 = 2**63
_END = ("}", False)


def assign(tree: Tree, where: str, text: str) -> None:
    """Set one value in `tree`, which is changed. Errors: ValueError with what is wrong with the key."""
    steps = path(where)
    node: Any = tree
    for step, following in itertools.pairwise(steps):
        _make_room(node, step)
        below = node.get(step) if isinstance(node, dict) else node[step]
        if below is None:
            below = [] if isinstance(following, int) else {}
        elif not isinstance(below, list if isinstance(following, int) else dict):
            kind = "list" if isinstance(following, int) else "map"
            raise ValueError(f"{step} holds a value already, not a {kind}")
        node[step] = below
        node = below
    _make_room(node, steps[-1])
    node[steps[-1]] = value(text)


def path(text: str) -> list[str | int]:
    """`a.b[0].c` as its steps; dots, brackets and backslashes after a backslash are letters of the name."""
    steps: list[str | int] = []
    name, written, index = "", False, None
    for letter, escaped in _letters(text):
        if index is not None:
            if letter != "]":
                index += letter
                continue
            steps.append(_index(index, text))
            name, written, index = "", True, None
        elif escaped or letter not in ".[":
            if written:
                raise ValueError(f"a dot or a bracket must follow ']' in {text}")
            name += letter
        else:
            if name:
                steps.append(name)
            elif not written:
                raise ValueError(f"{text} has an empty part")
            name, written, index = "", letter == "[", "" if letter == "[" else None
    if index is not None or not (name or written):
        raise ValueError(f"{text} ends too early")
    return [*steps, name] if name else steps


def key(steps: Sequence[str | int]) -> str:
    """What helm reads as these steps."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + "".join(
                f"\\{letter}" if letter in "\\.,=[" else letter for letter in step
            )
    return text


def value(text: str) -> Any:
    """`true`, `false`, `null` and whole numbers are typed, `{a,b}` is a list, all else is text."""
    letters = list(_letters(text))
    if letters[:1] != [("{", False)] or _END not in letters or letters.index(_END) != len(letters) - 1:
        return _typed("".join(letter for letter, _ in letters))
    items, item = [], ""
    for letter, escaped in letters[1:]:
        if escaped or letter not in ",}":
            item += letter
        else:
            items.append(item)
            item = ""
    return [_typed(each) for each in items]


def _typed(text: str) -> Any:
    word = text.lower()
    if word in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[word]
    digits = text[1:] if text[:1] in ("+", "-") else text
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
    if not is_number or (text[0] == "0" and text != "0"):
        return text
    return int(text) if -_INT64 <= int(text) < _INT64 else text


def _letters(text: str) -> Iterator[tuple[str, bool]]:
    """Each letter, and whether a backslash stood before it."""
    escaped = False
    for letter in text:
        if letter == "\\" and not escaped:
            escaped = True
            continue
        yield letter, escaped
        escaped = False


def _index(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_INDEX:
        raise ValueError(f"[{text}] in {where} is no index from 0 to {_LARGEST_INDEX}")
    return int(text)


def _make_room(node: Any, step: str | int) -> None:
    if isinstance(node, list) and isinstance(step, int):
        node.extend([None] * (step + 1 - len(node)))
