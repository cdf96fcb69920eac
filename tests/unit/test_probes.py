"""Probes from healthchecks: what is rendered, what is told, and that no check makes a broken probe."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import probes


def test_every_field_of_a_check() -> None:
    check = {
        "type": "startup",
        "path": "/health",
        "scheme": "https",
        "httpHeaders": [{"name": "Host", "value": "a.example.com"}, {"name": "X-Check", "value": ""}],
        "initialDelay": 5,
        "wait": 2,
        "timeout": 30,
        "attempts": 3,
        "port": 9999,
        "content": "ok",
        "name": "up",
        "warn": True,
        "onFailure": {"command": ["x"]},
    }
    assert probes.probes([check], 5000) == {
        "startupProbe": {
            "httpGet": {
                "path": "/health",
                "port": 5000,
                "scheme": "HTTPS",
                "httpHeaders": [{"name": "Host", "value": "a.example.com"}, {"name": "X-Check", "value": ""}],
            },
            "initialDelaySeconds": 5,
            "periodSeconds": 2,
            "timeoutSeconds": 30,
            "failureThreshold": 3,
            "successThreshold": 1,
        }
    }


def test_absent_and_zero_times_are_left_to_kubernetes() -> None:
    check = {"type": "liveness", "path": "/", "initialDelay": 0, "timeout": None}
    assert probes.probes([check], 80) == {
        "livenessProbe": {"httpGet": {"path": "/", "port": 80}, "successThreshold": 1}
    }


@pytest.mark.parametrize(
    ("check", "handler"),
    [
        ({"command": ["a", "b c"], "listening": True, "path": "/"}, {"exec": {"command": ["a", "b c"]}}),
        ({"listening": True, "path": "/"}, {"tcpSocket": {"port": 80}}),
        ({"listening": False, "path": "/x"}, {"httpGet": {"path": "/x", "port": 80}}),
        ({"command": [], "path": "/x"}, {"httpGet": {"path": "/x", "port": 80}}),
        (
            {
                "listening": True,
                "httpHeaders": [{"name": "host", "value": "a"}, {"name": "Host", "value": "b"}],
            },
            {"tcpSocket": {"port": 80, "host": "b"}},
        ),
    ],
)
def test_what_is_probed(check: dict[str, object], handler: dict[str, object]) -> None:
    assert probes.probes([{"type": "readiness", **check}], 80) == {
        "readinessProbe": {**handler, "successThreshold": 1}
    }


def test_a_command_needs_no_port() -> None:
    assert probes.probes([{"type": "liveness", "command": ["true"]}], None)["livenessProbe"]["exec"]
    with pytest.raises(PluginError, match=r"healthchecks\.web\[0\]: .* no port"):
        probes.probes([{"type": "liveness", "path": "/"}], None, "healthchecks.web")


def test_the_first_check_of_a_type_wins_and_the_others_are_told() -> None:
    checks = [
        {"type": "readiness", "path": "/first"},
        {"type": "liveness", "path": "/alive"},
        {"type": "readiness", "path": "/second"},
        {"type": "readiness", "path": "/third"},
    ]
    found = probes.probes(checks, 80)
    assert found["readinessProbe"]["httpGet"]["path"] == "/first"
    assert found["livenessProbe"]["httpGet"]["path"] == "/alive"
    assert "startupProbe" not in found
    told = probes.warnings(checks, "healthchecks.web")
    assert len(told) == 1
    assert "healthchecks.web has 3 readiness checks" in told[0]


def test_uptime_is_no_probe() -> None:
    checks: list[dict[str, object]] = [
        {"type": "readiness", "uptime": 7},
        {"uptime": 30},
        {"type": "startup", "uptime": 3, "path": "/"},
    ]
    assert list(probes.probes(checks, 80)) == ["startupProbe"]
    assert probes.minimum_ready_seconds(checks) == 30
    assert probes.warnings(checks) == []


def test_no_checks() -> None:
    assert probes.probes([], 80) == {}
    assert probes.minimum_ready_seconds([]) == 0
    assert probes.warnings([]) == []


def test_a_check_that_probes_nothing_is_told() -> None:
    checks: list[dict[str, object]] = [{"path": "/untyped"}, {"type": "liveness", "timeout": 3}]
    assert probes.probes(checks, 80) == {}
    told = probes.warnings(checks, "healthchecks.web")
    assert len(told) == 1
    assert told[0].startswith("healthchecks.web[1] is left out")


@pytest.mark.parametrize(("seconds", "failures"), [(300, 300), (90.5, 91), (0.2, 1), (1e12, 2**31 - 1)])
def test_the_default_readiness_probe_waits_out_the_deploy(seconds: float, failures: int) -> None:
    probe = probes.default_readiness(5000, seconds)
    assert probe["tcpSocket"] == {"port": 5000}
    assert probe["periodSeconds"] == 1
    assert probe["failureThreshold"] == failures


@pytest.mark.parametrize(
    ("check", "path"),
    [
        ({"timeout": "5"}, "timeout: not a whole number"),
        ({"timeout": 1.5}, "timeout: not a whole number"),
        ({"attempts": True}, "attempts: not a whole number"),
        ({"initialDelay": -1}, "initialDelay: -1 is not between 0 and"),
        ({"wait": 2**31}, "wait: 2147483648 is not between 0 and"),
        ({"type": "ready"}, "type: 'ready' is none of startup, liveness, readiness"),
        ({"type": 1}, "type: not a string"),
        ({"command": "curl localhost"}, "command: not a list"),
        ({"command": ["curl", 1]}, "command: not a list of strings"),
        ({"listening": "yes"}, "listening: not true or false"),
        ({"path": ["/"]}, "path: not a string"),
        ({"scheme": "tcp"}, "scheme: 'TCP' is none of HTTP, HTTPS"),
        ({"httpHeaders": {"Host": "a"}}, "httpHeaders: not a list"),
        ({"httpHeaders": ["Host"]}, "httpHeaders[0]: not an object"),
        ({"httpHeaders": [{"value": "a"}]}, "httpHeaders[0].name: missing"),
        ({"httpHeaders": [{"name": "A", "value": 1}]}, "httpHeaders[0].value: not a string"),
    ],
)
def test_wrong_types_name_their_place(check: dict[str, object], path: str) -> None:
    checks: list[dict[str, object]] = [
        {"type": "liveness", "path": "/"},
        {"type": "liveness", "path": "/", **check},
    ]
    with pytest.raises(PluginError) as caught:
        probes.probes(checks, 80, "healthchecks.web")
    assert caught.value.message.startswith(f"healthchecks.web[1].{path}")


@pytest.mark.parametrize("check", ["/", None, 1, ["x"]])
def test_a_check_is_an_object(check: Any) -> None:
    for read in (lambda c: probes.probes(c, 80), probes.minimum_ready_seconds, probes.warnings):
        with pytest.raises(PluginError, match=r"healthchecks\[0\]: not an object"):
            read([check])


def test_a_wrong_uptime_names_its_place() -> None:
    with pytest.raises(PluginError, match=r"healthchecks\.web\[0\]\.uptime: not a whole number"):
        probes.minimum_ready_seconds([{"uptime": "5m"}], "healthchecks.web")


FIELDS = [
    "type",
    "command",
    "listening",
    "path",
    "scheme",
    "httpHeaders",
    "uptime",
    "wait",
    "timeout",
    "attempts",
]
VALUES = st.sampled_from(
    ["liveness", "startup", "readiness", "/", "http", [], ["a"], [{"name": "Host"}], True, 0, 1, 2.5, None]
)


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES, max_size=4))
def test_a_probe_has_one_handler_or_the_check_is_refused(checks: list[Any]) -> None:
    try:
        found = probes.probes(checks, 80)
        told = probes.warnings(checks)
        seconds = probes.minimum_ready_seconds(checks)
    except PluginError as error:
        assert error.message.startswith("healthchecks[")
        return
    for probe in found.values():
        assert len({"exec", "tcpSocket", "httpGet"} & probe.keys()) == 1
    assert seconds >= 0
    assert all(line.startswith("healthchecks") for line in told)
