"""dokku's nginx properties as annotations of ingress-nginx: settings where it has one, snippets elsewhere."""

import re
from collections.abc import Mapping

from scheduler_k3s.errors import PluginError

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
_TIME = re.compile(r"(\d+)(ms|[smhdwMy])?\s*")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


def annotations(properties: Mapping[str, str], snippets: bool = True) -> dict[str, str]:
    """`properties` are the computed values of dokku's nginx plugin, its defaults included.

    Without `snippets`, for a cluster that refuses them, what ingress-nginx has no annotation for is left out.
    Errors: PluginError for a timeout that is no time.
    """
    if not properties:
        return {}
    result = {PREFIX + _RENAMED.get(name, name): properties[name] for name in _AS_IS if properties.get(name)}
    for name in _SECONDS:
        if properties.get(name):
            result[PREFIX + name] = str(_seconds(name, properties[name]))
    number, size = _buffers(properties.get("proxy-buffers", ""))
    result[f"{PREFIX}proxy-buffers-number"] = number
    result[f"{PREFIX}proxy-buffers-size"] = size
    for annotation, directives in (("server-snippet", _SERVER), ("configuration-snippet", _LOCATION)):
        if snippets and (snippet := _snippet(directives, properties)):
            result[PREFIX + annotation] = snippet
    return result


def _seconds(name: str, text: str) -> int:
    """nginx's time (`60`, `60s`, `1m 30s`, `500ms`) in whole seconds, at least 1: the annotation knows no unit."""
    parts = list(_TIME.finditer(text.strip()))
    if "".join(part[0] for part in parts) != text.strip():
        raise PluginError(f"Invalid nginx property {name}: {text!r} is not a time such as 60s or 5m")
    return max(1, round(sum(int(part[1]) * _UNITS[part[2] or "s"] for part in parts)))


def _buffers(text: str) -> tuple[str, str]:
    words = text.split()
    return (words[0], words[1]) if len(words) == 2 else ("8", "4k")


def _snippet(directives: Mapping[str, str], properties: Mapping[str, str]) -> str:
    lines = [
        f"{directives[name]} {properties[name]};\n" for name in sorted(directives) if properties.get(name)
    ]
    return "".join(lines)
