"""Healthchecks of app.json -> a container's probes.

`where` is the place of the checks in app.json (`healthchecks.web`); errors are PluginErrors that name the field.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from scheduler_k3s.errors import PluginError

Check = Mapping[str, object]
Probe = dict[str, Any]

TYPES = ("startup", "liveness", "readiness")
WHERE = "healthchecks"
_TIMES = {
    "initialDelay": "initialDelaySeconds",
    "wait": "periodSeconds",
    "timeout": "timeoutSeconds",
    "attempts": "failureThreshold",
}
_KINDS = {int: "a whole number", str: "a string", list: "a list", bool: "true or false"}
_ANY_PORT = 1
_MAX = 2**31 - 1


def probes(checks: Sequence[Check], port: int | None, where: str = WHERE) -> dict[str, Probe]:
    """`startupProbe`, `livenessProbe`, `readinessProbe`, each from the first check of its type that probes something.

    `port` is the process's primary port.
    """
    found: dict[str, Probe] = {}
    for index, check in enumerate(checks):
        probe = _probe(check, port, f"{where}[{index}]")
        if probe:
            found.setdefault(f"{check['type']}Probe", probe)
    return found


def minimum_ready_seconds(checks: Sequence[Check], where: str = WHERE) -> int:
    """The longest `uptime`: a pod counts as available only after it; 0 without one. No probe can say this."""
    return max((_number(check, "uptime", f"{where}[{i}]") for i, check in enumerate(checks)), default=0)


def warnings(checks: Sequence[Check], where: str = WHERE) -> list[str]:
    """One line for each probe type with several checks, and for each check that probes nothing."""
    told = []
    probing = []
    for index, check in enumerate(checks):
        place = f"{where}[{index}]"
        type_ = _type(check, place)
        if type_ and _handler(check, _ANY_PORT, place):
            probing.append(type_)
        elif type_ and not _number(check, "uptime", place):
            told.append(f"{place} is left out: it has none of command, listening, path and uptime")
    for type_ in TYPES:
        if probing.count(type_) > 1:
            told.append(
                f"{where} has {probing.count(type_)} {type_} checks; Kubernetes takes one, the first is used"
            )
    return told


def default_readiness(port: int, timeout_seconds: float) -> Probe:
    """For a process with a Service and no check: no traffic before it listens, however long the deploy may take."""
    failures = min(max(1, -int(-timeout_seconds // 1)), _MAX)
    return {
        "tcpSocket": {"port": port},
        "periodSeconds": 1,
        "failureThreshold": failures,
        "successThreshold": 1,
    }


def _probe(check: Check, port: int | None, where: str) -> Probe:
    """Empty when the check has no type or nothing to probe: Kubernetes refuses a probe without a handler."""
    type_ = _type(check, where)
    times = {field: _number(check, name, where) for name, field in _TIMES.items()}
    handler = _handler(check, port, where)
    if not type_ or not handler:
        return {}
    return {**handler, **{field: value for field, value in times.items() if value}, "successThreshold": 1}


def _type(check: Check, where: str) -> str:
    type_ = _text(check, "type", where)
    if type_ not in ("", *TYPES):
        raise PluginError(f"{where}.type: {type_!r} is none of {', '.join(TYPES)}")
    return type_


def _handler(check: Check, port: int | None, where: str) -> Probe:
    """`command` before `listening` before `path`; empty without any of them."""
    command = _list(check, "command", where)
    headers = _headers(check, where)
    path = _text(check, "path", where)
    scheme = _text(check, "scheme", where).upper()
    listening = _value(check, "listening", where, bool, False)
    if any(not isinstance(word, str) for word in command):
        raise PluginError(f"{where}.command: not a list of strings")
    if scheme not in ("", "HTTP", "HTTPS"):
        raise PluginError(f"{where}.scheme: {scheme!r} is none of HTTP, HTTPS")
    if command:
        return {"exec": {"command": command}}
    if not listening and not path:
        return {}
    if port is None:
        raise PluginError(f"{where}: the process has no port that could be checked")
    if listening:
        host = next((header["value"] for header in headers if header["name"] == "Host"), "")
        return {"tcpSocket": {"port": port, **({"host": host} if host else {})}}
    get: Probe = {"path": path, "port": port}
    if scheme:
        get["scheme"] = scheme
    if headers:
        get["httpHeaders"] = headers
    return {"httpGet": get}


def _headers(check: Check, where: str) -> list[dict[str, str]]:
    headers = []
    for index, header in enumerate(_list(check, "httpHeaders", where)):
        place = f"{where}.httpHeaders[{index}]"
        name = _text(header, "name", place)
        if not name:
            raise PluginError(f"{place}.name: missing")
        headers.append({"name": name, "value": _text(header, "value", place)})
    return headers


def _number(check: Check, name: str, where: str) -> int:
    value: int = _value(check, name, where, int, 0)
    if not 0 <= value <= _MAX:
        raise PluginError(f"{where}.{name}: {value} is not between 0 and {_MAX}")
    return value


def _text(check: Check, name: str, where: str) -> str:
    value: str = _value(check, name, where, str, "")
    return value


def _list(check: Check, name: str, where: str) -> list[Any]:
    value: list[Any] = _value(check, name, where, list, [])
    return value


def _value(check: Check, name: str, where: str, kind: type, default: object) -> Any:
    """The field, or `default` when it is absent or null."""
    if not isinstance(check, Mapping):
        raise PluginError(f"{where}: not an object")
    value = check.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise PluginError(f"{where}.{name}: not {_KINDS[kind]}")
    return value
