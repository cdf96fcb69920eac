"""What a deploy would change, as text: the objects of two releases compared, secrets masked. Pure."""

import base64
import binascii
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Object = dict[str, Any]
CHANGED, REMOVED, ADDED = "has changed", "has been removed", "has been added"
_ORDER = (CHANGED, REMOVED, ADDED)
_KEEP = "helm.sh/resource-policy"
_BASE_NAME = "helm-diff/base-name"


class Line(NamedTuple):
    """`sign` is `+`, `-`, a blank for context, or `.` for lines left out."""

    sign: str
    text: str

    def __str__(self) -> str:
        if self.sign == ".":
            return "..."
        return f"{self.sign} {self.text}" if self.text or self.sign != " " else ""


class Change(NamedTuple):
    """One object. `identity` is `<namespace>, <name>, <kind> (<api group>)`."""

    identity: str
    kind: str
    lines: list[Line]

    @property
    def title(self) -> str:
        return f"{self.identity} {self.kind}:"


Masking = Callable[[Object, Object | None, str], Object]


def changes(
    before: Iterable[Object], after: Iterable[Object], namespace: str, *, context: int, mask: Masking
) -> list[Change]:
    """The objects that differ: changed ones first, then removed, then added, each by identity.

    `context` is how many unchanged lines are kept around a change, all when negative. `mask` is told an object,
    its other version and the sign of its side.
    """
    old, new = _by_identity(before, namespace), _by_identity(after, namespace)
    found = []
    for identity in {**old, **new}:
        left, right = old.get(identity), new.get(identity)
        if left == right or (right is None and left is not None and _is_kept(left)):
            continue
        kind = CHANGED if left and right else REMOVED if left else ADDED
        texts = [
            _text(mask(item, other, sign)) if item else ""
            for item, other, sign in ((left, right, "-"), (right, left, "+"))
        ]
        found.append(Change(identity, kind, shortened(compared(*texts), context)))
    return sorted(found, key=lambda change: (_ORDER.index(change.kind), change.identity))


def identity(item: Object, namespace: str) -> str:
    metadata = item.get("metadata") or {}
    version = str(item.get("apiVersion", ""))
    group = version.rpartition("/")[0] or version
    name = (metadata.get("annotations") or {}).get(_BASE_NAME) or metadata.get("name")
    return f"{metadata.get('namespace') or namespace}, {name}, {item.get('kind')} ({group})"


def compared(before: str, after: str) -> list[Line]:
    """Line by line, the empty text behind the last newline included."""
    old, new = before.split("\n"), after.split("\n")
    lines: list[Line] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [Line(" ", text) for text in old[i1:i2]]
        else:
            lines += [Line("-", text) for text in old[i1:i2]]
            lines += [Line("+", text) for text in new[j1:j2]]
    return lines


def shortened(lines: Sequence[Line], context: int) -> list[Line]:
    """Leave out what is further than `context` lines from any change."""
    if context < 0:
        return list(lines)
    changed = [index for index, line in enumerate(lines) if line.sign != " "]
    near = {index for at in changed for index in range(at - context, at + context + 1)}
    result: list[Line] = []
    for index, line in enumerate(lines):
        if index in near:
            result.append(line)
        elif not result or result[-1].sign != ".":
            result.append(Line(".", ""))
    return result


def masked(item: Object, other: Object | None, sign: str) -> Object:
    """A Secret with its values replaced by their sizes; whether a value differs can still be seen."""
    if item.get("kind") != "Secret":
        return item
    theirs = _values(other) if other else {}
    data = {}
    for key, value in _values(item).items():
        word = "REDACTED" if theirs.get(key) == value else sign * 8
        data[key] = f"{word} # ({len(value)} bytes)"
    return {**_without_values(item), **({"data": data} if data else {})}


def shown(item: Object, other: Object | None, sign: str) -> Object:
    """A Secret as it is in the manifest."""
    del other, sign
    return item


def decoded(item: Object, other: Object | None, sign: str) -> Object:
    """A Secret with its values as plain text."""
    del other, sign
    if item.get("kind") != "Secret" or not _values(item):
        return item
    texts = {key: value.decode("utf-8", "replace") for key, value in _values(item).items()}
    return {**_without_values(item), "stringData": texts}


def _by_identity(items: Iterable[Object], namespace: str) -> dict[str, Object]:
    result = {}
    for item in items:
        parts = item.get("items") or [] if str(item.get("kind", "")).endswith("List") else [item]
        result.update(
            {identity(part, namespace): part for part in parts if part.get("kind") or part.get("apiVersion")}
        )
    return result


def _is_kept(item: Object) -> bool:
    return ((item.get("metadata") or {}).get("annotations") or {}).get(_KEEP) == "keep"


def _values(item: Object) -> dict[str, bytes]:
    result = {}
    for key, value in (item.get("data") or {}).items():
        try:
            result[key] = base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError):
            result[key] = str(value).encode()
    result.update({key: str(value).encode() for key, value in (item.get("stringData") or {}).items()})
    return result


def _without_values(item: Mapping[str, Any]) -> Object:
    return {key: value for key, value in item.items() if key not in ("data", "stringData")}


def _text(item: Object) -> str:
    """Keys sorted and lists not indented, so that neither order nor formatting counts."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(item, Dumper=dumper, default_flow_style=False, allow_unicode=True, width=100000))
