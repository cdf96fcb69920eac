"""Reads the plainest YAML: blocks of mappings and lists with one-line words, as tools write kubeconfigs.

It is there for speed alone: a status question would pay more for the import of the YAML package than for the
rest of its work. It reads a document exactly as YAML does, or not at all.
"""

_KEY = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")
_SPECIAL = frozenset("0123456789+-.~=<!&*?|>%@`'\"#,[]{}:")
"""First letters of words that may be more than text: numbers, dates, anchors, tags, quotes, lists."""
_TYPED = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))

_Line = tuple[int, str]


class NotPlain(ValueError):
    """The text may still be YAML, for a reader of all of it."""


def parse(text: str) -> object:
    """The value of the document. Errors: NotPlain."""
    lines = [_line(line) for line in text.split("\n") if line.strip(" ") and line[0] != "#"]
    if lines and lines[0] == (0, "---"):
        del lines[0]
    if not lines or lines[0][0]:
        raise NotPlain
    value = _block(lines, 0)
    if lines:
        raise NotPlain
    return value


def _line(text: str) -> _Line:
    content = text.strip(" ")
    if not (content.isascii() and content.isprintable()):
        raise NotPlain
    return len(text) - len(text.lstrip(" ")), content


def _block(lines: list[_Line], indent: int) -> object:
    """Take the lines of one mapping or list off the front."""
    return _list(lines, indent) if _is_item(lines[0][1]) else _mapping(lines, indent)


def _list(lines: list[_Line], indent: int) -> list[object]:
    items: list[object] = []
    while lines and lines[0][0] == indent and _is_item(lines[0][1]):
        content = lines[0][1][1:]
        inner = content.lstrip(" ")
        if not inner:
            raise NotPlain
        if _is_item(inner) or (inner[-1] != ":" and ": " not in inner):
            del lines[0]
            items.append(_word(inner))
            _end(lines, indent)
        else:
            within = indent + 1 + len(content) - len(inner)
            lines[0] = (within, inner)
            items.append(_mapping(lines, within))
    return items


def _mapping(lines: list[_Line], indent: int) -> dict[str, object]:
    entries: dict[str, object] = {}
    while lines and lines[0][0] == indent and not _is_item(lines[0][1]):
        key, colon, rest = lines.pop(0)[1].partition(":")
        if not colon or not _KEY.issuperset(key) or _word(key) != key or key in entries:
            raise NotPlain
        if rest:
            if rest[0] != " ":
                raise NotPlain
            entries[key] = _word(rest.lstrip(" "))
            _end(lines, indent)
        elif lines and (lines[0][0] > indent or (lines[0][0] == indent and _is_item(lines[0][1]))):
            entries[key] = _block(lines, lines[0][0])
        else:
            entries[key] = None
    if lines and lines[0][0] > indent:
        raise NotPlain
    return entries


def _end(lines: list[_Line], indent: int) -> None:
    """A word ends with its line: what is further to the right would go on with it."""
    if lines and lines[0][0] > indent:
        raise NotPlain


def _is_item(content: str) -> bool:
    return content == "-" or content.startswith("- ")


def _word(text: str) -> object:
    if text in ("{}", '""', "''", "true", "false", "null"):
        return {"{}": {}, "true": True, "false": False, "null": None}.get(text, "")
    if (
        not text
        or text[0] in _SPECIAL
        or text.lower() in _TYPED
        or ": " in text
        or " #" in text
        or text[-1] == ":"
    ):
        raise NotPlain
    return text
