"""What the text of a property means. Without `re`: on the path of `set` its import costs more than the work."""

from scheduler_k3s.errors import PluginError

LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
DIGITS = frozenset("0123456789")
ALNUM = LOWER | DIGITS
ANY_CASE = ALNUM | {letter.upper() for letter in LOWER}
TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")
DURATION_RULE = "must be seconds or a duration with units, longer than 0, for example 300, 90s or 5m30s"
BOOLEAN_RULE = "must be a boolean, for example true or false"

_MICRO = {"us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6}
_SECONDS = {"ns": 1e-9, **_MICRO, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = (2**63 - 1) / 1e9
"""Seconds that Go's int64 of nanoseconds can hold."""


def seconds(text: str) -> float:
    """All digits are seconds, anything else is a Go duration. Errors: PluginError, also for 0 and less."""
    value = float(text) if consists_of(text, DIGITS) else _go_duration(text)
    if value is None or not 0 < value <= _LONGEST:
        raise PluginError(f"Invalid duration: {text}, {DURATION_RULE}")
    return value


def boolean(text: str) -> bool:
    """Go's spellings of a boolean. Errors: PluginError."""
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise PluginError(f"Invalid boolean: {text}, {BOOLEAN_RULE}")


def is_label(text: str) -> bool:
    """An RFC 1123 label: namespaces, containers, many names of Kubernetes."""
    return len(text) <= 63 and _is_part(text)


def is_subdomain(text: str) -> bool:
    """An RFC 1123 subdomain. As in Kubernetes, only the whole has a limit, 253."""
    return len(text) <= 253 and all(_is_part(part) for part in text.split("."))


def split_number(text: str) -> tuple[float | None, str]:
    """The unsigned decimal number (`1`, `1.5`, `.5`, `1.`) that a text starts with, and what follows it."""
    end = next((i for i, letter in enumerate(text) if letter not in DIGITS and letter != "."), len(text))
    number = text[:end]
    if number.count(".") > 1 or not number.strip("."):
        return None, text
    return float(number), text[end:]


def consists_of(text: str, letters: "frozenset[str] | set[str]") -> bool:
    """Whether the text is not empty and has no other letters."""
    return bool(text) and letters.issuperset(text)


def _is_part(text: str) -> bool:
    return text[:1] in ALNUM and text[-1:] in ALNUM and consists_of(text, ALNUM | {"-"})


def _go_duration(text: str) -> float | None:
    rest = text.removeprefix("+")
    total = 0.0
    if not rest:
        return None
    while rest:
        number, rest = split_number(rest)
        unit = next((unit for unit in _SECONDS if unit != "m" and rest.startswith(unit)), rest[:1])
        if number is None or unit not in _SECONDS:
            return None
        total += number * _SECONDS[unit]
        rest = rest[len(unit) :]
    return total
