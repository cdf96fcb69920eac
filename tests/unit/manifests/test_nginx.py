"""Each nginx property of dokku, row by row."""

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.nginx import annotations
from unit.models import NGINX

PREFIX = "nginx.ingress.kubernetes.io/"
SERVER, LOCATION = f"{PREFIX}server-snippet", f"{PREFIX}configuration-snippet"


@pytest.mark.parametrize(
    ("name", "directive"),
    [
        ("access-log-path", "access_log"),
        ("error-log-path", "error_log"),
        ("client-body-timeout", "client_body_timeout"),
        ("client-header-timeout", "client_header_timeout"),
        ("keepalive-timeout", "keepalive_timeout"),
        ("lingering-timeout", "lingering_timeout"),
        ("send-timeout", "send_timeout"),
        ("underscore-in-headers", "underscores_in_headers"),
    ],
)
def test_server_directives(name: str, directive: str) -> None:
    made = annotations({name: "VALUE"})
    assert made[SERVER] == f"{directive} VALUE;\n"
    assert LOCATION not in made
    lines = annotations({**NGINX, name: "VALUE"})[SERVER].splitlines()
    assert f"{directive} VALUE;" in lines
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("name", "directive"),
    [
        ("proxy-busy-buffers-size", "proxy_busy_buffers_size"),
        ("x-forwarded-ssl", "proxy_set_header X-Forwarded-SSL"),
    ],
)
def test_location_directives(name: str, directive: str) -> None:
    made = annotations({name: "VALUE"})
    assert made[LOCATION] == f"{directive} VALUE;\n"
    assert SERVER not in made


def test_lines_are_in_the_order_of_the_properties() -> None:
    assert annotations({"x-forwarded-ssl": "on", "proxy-busy-buffers-size": "8k"})[LOCATION] == (
        "proxy_busy_buffers_size 8k;\nproxy_set_header X-Forwarded-SSL on;\n"
    )


@pytest.mark.parametrize(
    ("name", "annotation"),
    [
        ("client-max-body-size", "proxy-body-size"),
        ("proxy-buffer-size", "proxy-buffer-size"),
        ("proxy-buffering", "proxy-buffering"),
    ],
)
def test_settings_of_the_controller(name: str, annotation: str) -> None:
    assert annotations({name: "VALUE"})[PREFIX + annotation] == "VALUE"
    assert PREFIX + annotation not in annotations({name: "", "hsts": "true"})


@pytest.mark.parametrize(
    ("text", "number", "size"),
    [("16 8k", "16", "8k"), ("", "8", "4k"), ("16", "8", "4k"), ("1 2 3", "8", "4k"), (" 4  2k ", "4", "2k")],
)
def test_buffers(text: str, number: str, size: str) -> None:
    made = annotations({"proxy-buffers": text})
    assert (made[f"{PREFIX}proxy-buffers-number"], made[f"{PREFIX}proxy-buffers-size"]) == (number, size)


@pytest.mark.parametrize("name", ["proxy-connect-timeout", "proxy-read-timeout", "proxy-send-timeout"])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", "60"),
        ("60", "60"),
        ("5m", "300"),
        ("1h", "3600"),
        ("1h 30m", "5400"),
        ("1m30s", "90"),
        ("1d", "86400"),
        ("500ms", "1"),
        ("2500ms", "2"),
        (" 10s ", "10"),
    ],
)
def test_timeouts_are_seconds(name: str, text: str, seconds: str) -> None:
    assert annotations({name: text})[PREFIX + name] == seconds


@pytest.mark.parametrize("text", ["soon", "5x", "-5s", "1.5m", "5m x"])
def test_a_timeout_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(PluginError) as raised:
        annotations({"proxy-read-timeout": text})
    assert "proxy-read-timeout" in raised.value.message
    assert repr(text) in raised.value.message


@pytest.mark.parametrize(
    "name",
    [
        "bind-address-ipv4",
        "bind-address-ipv6",
        "disable-custom-config",
        "hsts",
        "hsts-include-subdomains",
        "hsts-max-age",
        "hsts-preload",
        "nginx-conf-sigil-path",
        "access-log-format",
        "proxy-keepalive",
        "x-forwarded-for-value",
        "x-forwarded-port-value",
        "x-forwarded-proto-value",
        "nginx-service-command",
    ],
)
def test_the_rest_has_no_effect(name: str) -> None:
    assert annotations({**NGINX, name: "VALUE"}) == annotations(NGINX)


def test_a_host_without_nginx_properties_adds_nothing() -> None:
    assert annotations({}) == {}
