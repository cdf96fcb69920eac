"""Amounts of cpu and memory: dokku's and docker's spellings -> Kubernetes quantities."""

import re
from collections.abc import Mapping
from fractions import Fraction

from scheduler_k3s.errors import PluginError

DEFAULT_REQUESTS = {"cpu": "100m", "memory": "128Mi"}
EXAMPLES = {"cpu": "500m", "memory": "512Mi"}

_SHAPE = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([A-Za-z]*)(?:(?<=[eE])([+-]?[0-9]{1,2}))?")
_FACTORS = {"": Fraction(1)}
_FACTORS |= {suffix: Fraction(10) ** (3 * power) for power, suffix in enumerate("num", -3)}
_FACTORS |= {suffix: Fraction(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", 1)}
_FACTORS |= {f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)}
_MEMORY_SUFFIXES = (
    {"": "Mi", "b": "", "K": "k"}
    | {suffix: suffix for suffix in (*"MGTPE", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")}
    | {suffix: f"{suffix[0].upper()}i" for suffix in ("k", "kb", "m", "mb", "g", "gb")}
)


def parse(text: str) -> Fraction:
    """The exact value of a Kubernetes quantity (`500m`, `1.5Gi`, `12e3`). Errors: PluginError."""
    shape = _SHAPE.fullmatch(text)
    number, suffix, exponent = shape.groups() if shape else ("", None, None)
    if exponent and suffix in ("e", "E"):
        return Fraction(number) * Fraction(10) ** int(exponent)
    if exponent or suffix not in _FACTORS:
        raise _refused(text, "memory", "quantity")
    return Fraction(number) * _FACTORS[suffix]


def cpu(text: str, what: str = "cpu") -> str:
    """`text` as a quantity of processors. Errors: PluginError that begins with `what`."""
    return _checked(text.strip(), text, "cpu", what)


def memory(text: str, what: str = "memory") -> str:
    """`text` as a quantity of bytes: a bare number is Mi, lower-case k, m and g are Ki, Mi and Gi, `b` is bytes.

    Errors: PluginError that begins with `what`.
    """
    shape = _SHAPE.fullmatch(text.strip())
    number, suffix, exponent = shape.groups() if shape else ("", None, None)
    if exponent:
        return _checked(text.strip(), text, "memory", what)
    if suffix not in _MEMORY_SUFFIXES or (suffix == "b" and "." in number):
        raise _refused(text, "memory", what)
    return _checked(number + _MEMORY_SUFFIXES[suffix], text, "memory", what)


def requests_and_limits(limits: Mapping[str, str], reserves: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The `resources` of a container, from the properties `cpu`, `memory` and (limits only) `nvidia-gpu`.

    Empty and `0` mean the default, any other zero (`0m`, `0Mi`) means none at all. Errors: PluginError.
    """
    requested: dict[str, str] = {}
    limited: dict[str, str] = {}
    for name, default in DEFAULT_REQUESTS.items():
        limit = _property(limits, name, "limit")
        reserve = _property(reserves, name, "reservation")
        request = reserve or default
        if limit and parse(limit):
            limited[name] = limit
            if parse(request) > parse(limit):
                if reserve:
                    raise PluginError(
                        f"The {name} reservation {reserve} is above the {name} limit {limit}; "
                        "lower the one or raise the other"
                    )
                request = limit
        if parse(request):
            requested[name] = request
    gpus = limits.get("nvidia-gpu", "").strip()
    if gpus and not (gpus.isascii() and gpus.isdigit()):
        raise PluginError(f'nvidia-gpu limit "{gpus}" is not a number of devices; 1 is a form that works')
    if gpus.strip("0"):
        limited["nvidia.com/gpu"] = gpus.lstrip("0")
    return {key: value for key, value in (("requests", requested), ("limits", limited)) if value}


def _property(properties: Mapping[str, str], name: str, kind: str) -> str:
    """The property as a quantity; "" where the default is wanted."""
    text = properties.get(name, "").strip()
    if text in ("", "0"):
        return ""
    return (cpu if name == "cpu" else memory)(text, f"{name} {kind}")


def _checked(quantity: str, text: str, name: str, what: str) -> str:
    try:
        value = parse(quantity)
    except PluginError:
        raise _refused(text, name, what) from None
    if value < 0:
        raise _refused(text, name, what)
    return quantity


def _refused(text: str, name: str, what: str) -> PluginError:
    return PluginError(f'{what} "{text}" is not an amount; {EXAMPLES[name]} is a form that works')
