"""The cron tasks of app.json: which they are, what is wrong with them, and the id that dokku knows them by."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from scheduler_k3s import words
from scheduler_k3s.errors import PluginError

POLICIES = {"allow": "Allow", "forbid": "Forbid", "replace": "Replace"}
"""How dokku spells a concurrency policy, and how Kubernetes does."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)


class Entry(NamedTuple):
    """One task as app.json has it, checked. `place` is its path in the file."""

    id: str
    command: str
    schedule: str
    args: tuple[str, ...]
    policy: str
    maintenance: bool
    place: str


def entries(app: str, app_json: Mapping[str, Any], warn: Callable[[str], None]) -> list[Entry]:
    """The tasks, each once. Those without command or schedule are left out, and `warn` is told.

    Errors: PluginError naming the value and its place in the file.
    """
    listed = app_json.get("cron") or []
    if not isinstance(listed, list):
        raise PluginError("app.json: cron: not a list")
    found: dict[str, Entry] = {}
    for number, item in enumerate(listed):
        place = f"app.json: cron[{number}]"
        entry = _entry(app, item, place, warn)
        if entry is None:
            continue
        first = found.setdefault(entry.id, entry)
        if (first.policy, first.maintenance) != (entry.policy, entry.maintenance):
            warn(f"{place}: the same task as {first.place.removeprefix('app.json: ')}, whose settings count")
    return list(found.values())


def task_id(app: str, command: str, schedule: str) -> str:
    """dokku's id: the bytes of the three, read as one big number, in base 36."""
    number = int.from_bytes(f"{app}==={command}==={schedule}".encode("utf-8", "surrogateescape"), "big")
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def task_hash(id_: str) -> str:
    """What labels hold: ids are longer than a label may be."""
    return hashlib.sha1(id_.encode(), usedforsecurity=False).hexdigest()


def new_suffix() -> str:
    return os.urandom(5).hex()


def is_suspended(id_: str, listed_so: bool, properties: Mapping[str, str]) -> bool:
    """`properties` are the cron plugin's of the app, with `maintenance` computed."""
    return listed_so or "true" in (properties.get("maintenance"), properties.get(f"maintenance.{id_}"))


def check_schedule(text: str, place: str) -> None:
    """Kubernetes' rules, so that a wrong schedule is named by its place. Errors: PluginError."""
    if text.startswith("@every "):
        return
    if text.startswith("@"):
        if text not in _DESCRIPTORS:
            raise _refused(text, place, f"descriptors are {', '.join(_DESCRIPTORS)} and @every")
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise _refused(text, place, f"it has {len(fields)} fields, and a schedule has 5")
    for field, (what, low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in filter(None, field.split(",")):
            if not _is_range(part, low, high, names):
                raise _refused(text, place, f"{part!r} is no {what} ({low} to {high})")


def _entry(app: str, item: object, place: str, warn: Callable[[str], None]) -> Entry | None:
    if not isinstance(item, Mapping):
        raise PluginError(f"{place}: not an object")
    command, schedule, policy = (
        _text(item, key, place) for key in ("command", "schedule", "concurrency_policy")
    )
    maintenance = item.get("maintenance")
    if maintenance is not None and not isinstance(maintenance, bool):
        raise PluginError(f"{place}.maintenance: {maintenance!r} is neither true nor false")
    if policy and policy.lower() not in POLICIES:
        raise PluginError(f"{place}.concurrency_policy: {policy!r} is none of {', '.join(POLICIES)}")
    try:
        args = tuple(words.split(command))
    except words.WordError as error:
        raise PluginError(
            f"{place}.command: {error.message}. Use a script, or a shell: sh -c 'COMMANDS'"
        ) from None
    if not args or not schedule.strip():
        warn(f"{place}: skipped, it has no {'schedule' if args else 'command'}")
        return None
    check_schedule(schedule, f"{place}.schedule")
    return Entry(
        id=task_id(app, command, schedule),
        command=command,
        schedule=schedule,
        args=args,
        policy=POLICIES[policy.lower() or "allow"],
        maintenance=maintenance is True,
        place=place,
    )


def _text(item: Mapping[str, Any], key: str, place: str) -> str:
    value = item.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise PluginError(f"{place}.{key}: {value!r} is not a text")
    return value


def _is_range(part: str, low: int, high: int, names: Sequence[str]) -> bool:
    """`*`, `5`, `1-5`, each also with a step: `*/10`."""
    values, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step)):
        return False
    if values in ("*", "?"):
        return True
    first, dash, last = values.partition("-")
    numbers = [_number(word, names, low) for word in ((first, last) if dash else (first,))]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _number(word: str, names: Sequence[str], low: int) -> int:
    """-1 for what is none."""
    if word.lower() in names:
        return names.index(word.lower()) + low
    return int(word) if word.isascii() and word.isdigit() else -1


def _refused(text: str, place: str, why: str) -> PluginError:
    return PluginError(f"{place}: {text!r} is not a schedule: {why}. Examples: '*/5 * * * *', '@daily'")
