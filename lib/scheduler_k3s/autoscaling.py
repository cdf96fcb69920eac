"""`formation.<type>.autoscaling` of app.json: how KEDA is to scale a process. Errors name the place in the file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduler_k3s.errors import PluginError

HTTP = "http"
_PLACEHOLDER = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_WORD = re.compile(r"\bDOKKU_(?:APP_NAME|PROCESS_TYPE|DEPLOYMENT_NAME)\b")
_NUMBERS = {
    "scaledown_period_seconds": 300,
    "request_rate_granularity_seconds": 1,
    "request_rate_target_value": 100,
    "request_rate_window_seconds": 60,
    "concurrency_target_value": 100,
}


@dataclass(frozen=True)
class Trigger:
    name: str
    type: str
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class HttpScaling:
    """What the http trigger counts. Times are in seconds."""

    scale_by: str
    scaledown_period: int
    granularity: int
    request_rate: int
    window: int
    concurrency: int


@dataclass(frozen=True)
class Autoscaling:
    """How a process is scaled. Times are in seconds. `start` is how many replicas it starts with after a stop;
    otherwise it keeps those it has.
    """

    minimum: int
    maximum: int
    polling: int
    cooldown: int
    triggers: Sequence[Trigger]
    http: HttpScaling | None = None
    start: int | None = None


def parse(
    app: str, type_: str, scale: int, section: object, warn: Callable[[str], None]
) -> Autoscaling | None:
    """None when nothing triggers scaling. `scale` is the process's own, the default of several numbers."""
    place = f"app.json: formation.{type_}.autoscaling"
    if section is None:
        return None
    if not isinstance(section, Mapping):
        raise PluginError(f"{place}: not an object")
    listed = section.get("triggers") or []
    if not isinstance(listed, list):
        raise PluginError(f"{place}.triggers: not a list")
    names = {"APP_NAME": app, "PROCESS_TYPE": type_, "DEPLOYMENT_NAME": f"{app}-{type_}"}
    triggers = [
        _trigger(item, number, f"{place}.triggers[{number}]", names) for number, item in enumerate(listed)
    ]
    if not triggers:
        return None
    _check_names(triggers, place)
    minimum = _number(section, "min_quantity", scale, place)
    maximum = _number(section, "max_quantity", max(scale, minimum), place)
    if maximum < minimum:
        raise PluginError(
            f"{place}.max_quantity: {maximum} is less than min_quantity, which is {minimum}"
            f"{'' if 'min_quantity' in section else ', the scale of the process'}"
        )
    cooldown = (
        "cooldown_seconds" if section.get("cooldown_period_seconds") is None else "cooldown_period_seconds"
    )
    return Autoscaling(
        minimum=minimum,
        maximum=maximum,
        polling=_number(section, "polling_interval_seconds", 30, place),
        cooldown=_number(section, cooldown, 300, place),
        triggers=triggers,
        http=_http(triggers, place, warn),
    )


def _trigger(item: object, number: int, place: str, names: Mapping[str, str]) -> Trigger:
    if not isinstance(item, Mapping):
        raise PluginError(f"{place}: not an object")
    kind, name = item.get("type"), item.get("name")
    if not isinstance(kind, str) or not kind:
        raise PluginError(
            f"{place}.type: {'missing' if not kind else repr(kind)}, give KEDA's name of a trigger, as cpu"
        )
    if name is not None and not isinstance(name, str):
        raise PluginError(f"{place}.name: {name!r} is not a text")
    metadata = item.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise PluginError(f"{place}.metadata: not an object")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise PluginError(f"{place}.metadata.{key}: {value!r} is not a text, write it in quotes")
    filled = {key: _fill(value, f"{place}.metadata.{key}", names) for key, value in metadata.items()}
    return Trigger(name or f"trigger-{kind}-{number + 1}", kind, filled)


def _fill(text: str, place: str, names: Mapping[str, str]) -> str:
    """Put the names of app, process and Deployment where the text has their placeholders."""

    def bracketed(match: "re.Match[str]") -> str:
        name = match[1].strip().removeprefix(".").removeprefix("DOKKU_")
        if not match[1].strip().startswith(".") or name not in names:
            known = ", ".join(f"[[ .{name} ]]" for name in names)
            raise PluginError(f"{place}: {match[0]} stands for nothing; there are {known}")
        return names[name]

    pieces, end = [], 0
    for match in _PLACEHOLDER.finditer(text):
        pieces += [_words(text[end : match.start()], names), bracketed(match)]
        end = match.end()
    return "".join([*pieces, _words(text[end:], names)])


def _words(text: str, names: Mapping[str, str]) -> str:
    return _WORD.sub(lambda match: names[match[0].removeprefix("DOKKU_")], text)


def _check_names(triggers: list[Trigger], place: str) -> None:
    """KEDA tells triggers apart by their names."""
    seen: set[str] = set()
    for number, trigger in enumerate(triggers):
        if trigger.name in seen:
            raise PluginError(
                f"{place}.triggers[{number}].name: {trigger.name} is an earlier trigger's name too"
            )
        seen.add(trigger.name)


def _http(triggers: list[Trigger], place: str, warn: Callable[[str], None]) -> HttpScaling | None:
    found = [(number, trigger) for number, trigger in enumerate(triggers) if trigger.type == HTTP]
    if not found:
        return None
    if len(found) > 1:
        raise PluginError(f"{place}.triggers[{found[1][0]}]: a process can have one http trigger only")
    number, trigger = found[0]
    place = f"{place}.triggers[{number}].metadata"
    for key in sorted(trigger.metadata.keys() - _NUMBERS.keys() - {"scale_by"}):
        warn(f"{place}.{key}: unknown to the http trigger and left out")
    scale_by = trigger.metadata.get("scale_by") or "request_rate"
    if scale_by not in ("request_rate", "concurrency"):
        raise PluginError(f"{place}.scale_by: {scale_by!r} is neither request_rate nor concurrency")
    numbers = {}
    for key, default in _NUMBERS.items():
        text = trigger.metadata.get(key) or str(default)
        if not (text.isascii() and text.isdigit()):
            raise PluginError(f"{place}.{key}: {text!r} is not a whole number, for example {default}")
        numbers[key] = int(text)
    return HttpScaling(
        scale_by=scale_by,
        scaledown_period=numbers["scaledown_period_seconds"],
        granularity=numbers["request_rate_granularity_seconds"],
        request_rate=numbers["request_rate_target_value"],
        window=numbers["request_rate_window_seconds"],
        concurrency=numbers["concurrency_target_value"],
    )


def _number(section: Mapping[str, Any], key: str, default: int, place: str) -> int:
    value = section.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PluginError(f"{place}.{key}: {value!r} is not a whole number from 0")
    return value
