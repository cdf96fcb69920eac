"""dokku's nginx properties as annotations of ingress-nginx: settings where it has one, snippets elsewhere."""

from collections.abc import Mapping

PREFIX = "nginx.ingress.kubernetes.io/"

_SERVER = {
    "access-log-path": "access_log",
    "client-body-timeout": "client_body_timeout",
    "client-header-timeout": "client_header_timeout",
    "error-log-path": "error_log",
    "keepalive-timeout": "keepalive_timeout",
    "lingering-timeout": "lingering_timeout",
    "send-timeout": "send_timeout",
    "underscore-in-headers": "underscores_in_headers",
}
_LOCATION = {
    "proxy-busy-buffers-size": "proxy_busy_buffers_size",
    "x-forwarded-ssl": "proxy_set_header X-Forwarded-SSL",
}
_AS_IS = ("client-max-body-size", "proxy-buffer-size", "proxy-buffering")
_RENAMED = {"client-max-body-size": "proxy-body-size"}
_SECONDS = ("proxy-connect-timeout", "proxy-read-timeout", "proxy-send-timeout")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


def annotations(app: str, properties: Mapping[str, str]) -> dict[str, str]:
    """`properties` are the computed values of dokku's nginx plugin, without their defaults filled in here."""
    if not properties:
        return {}
    result = {PREFIX + _RENAMED.get(name, name): properties[name] for name in _AS_IS if properties.get(name)}
    for name in _SECONDS:
        if properties.get(name):
            result[PREFIX + name] = str(seconds(properties[name]))
    number, size = _buffers(properties.get("proxy-buffers", ""))
    result[f"{PREFIX}proxy-buffers-number"] = number
    result[f"{PREFIX}proxy-buffers-size"] = size
    for annotation, directives in (("server-snippet", _SERVER), ("configuration-snippet", _LOCATION)):
        if snippet := _snippet(directives, properties):
            result[PREFIX + annotation] = snippet
    return result


def seconds(text: str) -> int:
    """nginx's time (`60`, `60s`, `1m 30s`, `500ms`) in whole seconds, at least 1: the annotation knows no unit."""
    import re

    total = 0.0
    for number, unit in re.findall(r"(\d+)\s*(ms|[smhdwMy])?", text):
        total += int(number) * _UNITS[unit or "s"]
    return max(1, round(total))


def _buffers(text: str) -> tuple[str, str]:
    words = text.split()
    return (words[0], words[1]) if len(words) == 2 else ("8", "4k")


def _snippet(directives: Mapping[str, str], properties: Mapping[str, str]) -> str:
    lines = [
        f"{directives[name]} {properties[name]};\n" for name in sorted(directives) if properties.get(name)
    ]
    return "".join(lines)
