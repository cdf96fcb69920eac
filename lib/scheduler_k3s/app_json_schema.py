"""What app.json may say in the sections that a deploy reads, and where in the file it says something else.

Sections of others are theirs to judge, and so are keys that nobody knows: those are told, not refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scheduler_k3s.errors import PluginError

Schema = dict[str, Any]

SHOWN = 5
"""Errors in one message; the next attempt shows the others."""
_LONGEST = 60


def _value(kind: str, **rules: Any) -> Schema:
    """null is the same as a key that is not there."""
    return {"type": [kind, "null"], **rules}


def _object(required: Sequence[str] = (), **properties: Schema) -> Schema:
    return _value("object", properties=properties, required=list(required))


_COUNT = _value("integer", minimum=0, maximum=2**31 - 1)
_TEXT = _value("string")
_SWITCH = _value("boolean")
_TEXTS = _value("array", items={"type": "string"})
_HEADER = _object(("name",), name=_TEXT, value=_TEXT)
_HOOK = _value("object")

_CHECK = _object(
    type={"enum": ["startup", "liveness", "readiness", "", None]},
    name=_TEXT,
    path=_TEXT,
    port=_COUNT,
    scheme=_TEXT,
    httpHeaders=_value("array", items=_HEADER),
    content=_TEXT,
    command=_TEXTS,
    listening=_SWITCH,
    uptime=_COUNT,
    attempts=_COUNT,
    initialDelay=_COUNT,
    timeout=_COUNT,
    wait=_COUNT,
    warn=_SWITCH,
    onFailure=_HOOK,
)
_TASK = _object(command=_TEXT, schedule=_TEXT, maintenance=_SWITCH, concurrency_policy=_TEXT)
_TRIGGER = _object(
    ("type",),
    name=_TEXT,
    type={"type": "string", "minLength": 1},
    metadata=_value("object", additionalProperties={"type": "string"}),
)
_AUTOSCALING = _object(
    min_quantity=_COUNT,
    max_quantity=_COUNT,
    polling_interval_seconds=_COUNT,
    cooldown_period_seconds=_COUNT,
    cooldown_seconds=_COUNT,
    triggers=_value("array", items=_TRIGGER),
)
_PROCESS = _object(
    quantity=_COUNT,
    max_parallel=_value("integer"),
    service=_object(exposed=_SWITCH),
    autoscaling=_AUTOSCALING,
)

SCHEMA = {
    "type": "object",
    "properties": {
        "cron": _value("array", items=_TASK),
        "formation": _value("object", additionalProperties=_PROCESS),
        "healthchecks": _value("object", additionalProperties=_value("array", items=_CHECK)),
    },
}


def check(content: Mapping[str, Any]) -> None:
    """Errors: PluginError, a line for each place that is wrong. Without any of our sections this costs nothing."""
    if not any(content.get(section) for section in SCHEMA["properties"]):
        return
    from scheduler_k3s.tools import private

    private.load_packages()
    import jsonschema

    found = sorted(
        jsonschema.Draft202012Validator(SCHEMA).iter_errors(content),
        key=lambda error: _order(error.absolute_path),
    )
    if found:
        lines = [f"app.json: {place(error.absolute_path)}: {_message(error)}" for error in found[:SHOWN]]
        more = [f"app.json: {len(found) - SHOWN} more places are wrong"] if len(found) > SHOWN else []
        raise PluginError("\n".join(lines + more))


def warnings(content: Mapping[str, Any]) -> list[str]:
    """A line for each key of our sections that has no meaning: it may be misspelt."""
    return [
        f"app.json: {place(path)} has no effect: no such key is known"
        for path in _unknown(content, SCHEMA, ())
    ]


def place(path: Sequence[str | int]) -> str:
    """`healthchecks.web[0].timeout`"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the file"


def _unknown(value: Any, schema: Schema, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        known, others = schema.get("properties"), schema.get("additionalProperties")
        for key, item in value.items():
            if known and key in known:
                yield from _unknown(item, known[key], (*path, key))
            elif others:
                yield from _unknown(item, others, (*path, key))
            elif known and path:
                yield (*path, key)
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown(item, schema["items"], (*path, index))


def _message(error: Any) -> str:
    """In the words of the file: JSON's true and null, one type, values cut short."""
    shown = _shown(error.instance)
    if error.validator == "type":
        kind = error.validator_value if isinstance(error.validator_value, str) else error.validator_value[0]
        return f"{shown} is not of type {kind}"
    if error.validator == "enum":
        return f"{shown} is none of {', '.join(word for word in error.validator_value if word)}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f"{', '.join(missing)} is missing"
    rules = {"minimum": "less than", "maximum": "greater than"}
    if error.validator in rules:
        return f"{shown} is {rules[error.validator]} {error.validator_value}"
    return f"{shown} is empty" if error.validator == "minLength" else f"{shown}: {error.message}"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _order(path: Sequence[str | int]) -> list[tuple[int, int, str]]:
    """Like the file's reader: by key, and by number within lists."""
    return [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in path]
