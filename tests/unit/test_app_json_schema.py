"""app.json: what is wrong is told with its place in the file, what is none of our business is left alone."""

import subprocess
import sys
from typing import Any

import pytest
from scheduler_k3s import app_json_schema, jsonc
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import private


@pytest.fixture(autouse=True)
def _packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own jsonschema stands in for the installed one."""
    monkeypatch.setattr(private, "load_packages", lambda: None)


def refusal(content: Any) -> list[str]:
    with pytest.raises(PluginError) as raised:
        app_json_schema.check(content)
    return raised.value.message.splitlines()


def check(**fields: Any) -> dict[str, Any]:
    return {"healthchecks": {"web": [{"type": "startup", "path": "/"}, fields]}}


def formation(**fields: Any) -> dict[str, Any]:
    return {"formation": {"web": fields}}


def autoscaling(**fields: Any) -> dict[str, Any]:
    return formation(autoscaling=fields)


FULL = """
{
  // every key that a deploy or dokku reads
  "name": "shop", "buildpacks": [{"url": 1}], "env": {"A": {"value": 1}}, "scripts": {"dokku": {"predeploy": "x"}},
  "cron": [{"command": "a", "schedule": "@daily", "maintenance": true, "concurrency_policy": "forbid"}],
  "formation": {"web": {
    "quantity": 1, "max_parallel": -1, "service": {"exposed": true},
    "autoscaling": {
      "min_quantity": 1, "max_quantity": 2, "polling_interval_seconds": 3, "cooldown_period_seconds": 4,
      "cooldown_seconds": 5, "triggers": [{"name": "n", "type": "cpu", "metadata": {"value": "1"}}]
    }
  }},
  "healthchecks": {"web": [{
    "type": "liveness", "name": "n", "path": "/", "port": 1, "scheme": "http", "content": "x", "command": ["a"],
    "httpHeaders": [{"name": "Host", "value": "x"}], "listening": true, "uptime": 1, "attempts": 1,
    "initialDelay": 0, "timeout": 1, "wait": 1, "warn": true, "onFailure": {"command": ["x"]},
  }]}, /* a trailing comma before, and one after */
}
"""


def test_everything_that_is_known_is_taken() -> None:
    content = jsonc.loads(FULL)
    assert isinstance(content, dict)
    app_json_schema.check(content)
    assert app_json_schema.warnings(content) == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"cron": None, "formation": None, "healthchecks": None},
        {"cron": [], "formation": {}, "healthchecks": {}},
        {"formation": {"web": None}, "healthchecks": {"web": None}},
        check(type=None, timeout=None, command=None, httpHeaders=None),
        autoscaling(triggers=None, min_quantity=None),
        {"env": 1, "scripts": [], "other": {"timeout": "x"}},
    ],
)
def test_what_is_not_there_and_what_is_not_ours(content: dict[str, Any]) -> None:
    app_json_schema.check(content)
    assert app_json_schema.warnings(content) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"healthchecks": {"web": [{"timeout": "x"}]}},
            "healthchecks.web[0].timeout: 'x' is not of type integer",
        ),
        (check(timeout=1.5), "healthchecks.web[1].timeout: 1.5 is not of type integer"),
        (check(timeout=True), "healthchecks.web[1].timeout: true is not of type integer"),
        (check(attempts=-1), "healthchecks.web[1].attempts: -1 is less than 0"),
        (check(wait=2**31), "healthchecks.web[1].wait: 2147483648 is greater than 2147483647"),
        (check(listening="yes"), "healthchecks.web[1].listening: 'yes' is not of type boolean"),
        (check(command="curl"), "healthchecks.web[1].command: 'curl' is not of type array"),
        (check(command=["a", 1]), "healthchecks.web[1].command[1]: 1 is not of type string"),
        (
            check(type="livenes"),
            "healthchecks.web[1].type: 'livenes' is none of startup, liveness, readiness",
        ),
        (check(httpHeaders=[{"value": "x"}]), "healthchecks.web[1].httpHeaders[0]: name is missing"),
        ({"healthchecks": {"web": {}}}, "healthchecks.web: {} is not of type array"),
        ({"healthchecks": ["x"]}, 'healthchecks: ["x"] is not of type object'),
        ({"healthchecks": {"web": ["x"]}}, "healthchecks.web[0]: 'x' is not of type object"),
        ({"cron": {"a": 1}}, 'cron: {"a": 1} is not of type array'),
        ({"cron": [{"command": ["a"]}]}, 'cron[0].command: ["a"] is not of type string'),
        ({"cron": [{"maintenance": "true"}]}, "cron[0].maintenance: 'true' is not of type boolean"),
        ({"formation": []} | {"cron": [1]}, "cron[0]: 1 is not of type object"),
        (formation(quantity="2"), "formation.web.quantity: '2' is not of type integer"),
        (formation(service={"exposed": 1}), "formation.web.service.exposed: 1 is not of type boolean"),
        (autoscaling(min_quantity="1"), "formation.web.autoscaling.min_quantity: '1' is not of type integer"),
        (autoscaling(triggers=[{}]), "formation.web.autoscaling.triggers[0]: type is missing"),
        (autoscaling(triggers=[{"type": ""}]), "formation.web.autoscaling.triggers[0].type: '' is empty"),
        (
            autoscaling(triggers=[{"type": "cpu"}, {"type": "cron", "metadata": {"value": 50}}]),
            "formation.web.autoscaling.triggers[1].metadata.value: 50 is not of type string",
        ),
        (check(path=["x" * 100]), 'healthchecks.web[1].path: ["' + "x" * 58 + "... is not of type string"),
    ],
)
def test_each_mistake_is_told_with_its_place(content: dict[str, Any], message: str) -> None:
    assert refusal(content)[0] == f"app.json: {message}"


def test_several_mistakes_come_in_order_and_not_all_at_once() -> None:
    wrong = {"healthchecks": {"web": [{"timeout": "x"} for _ in range(50)]}, "cron": 1}
    lines = refusal(wrong)
    assert lines[0] == "app.json: cron: 1 is not of type array"
    assert [line.split(":")[1] for line in lines[1:5]] == [
        f" healthchecks.web[{n}].timeout" for n in range(4)
    ]
    assert lines[5:] == ["app.json: 46 more places are wrong"]


def test_a_key_that_nobody_knows_is_told() -> None:
    content = {
        **check(initialdelay=5),
        **formation(autoscaling={"max": 3}, services={}),
        "cron": [{"command": "a", "schedule": "b", "timezone": "UTC"}],
        "other": {"x": 1},
    }
    assert app_json_schema.warnings(content) == [
        "app.json: healthchecks.web[1].initialdelay has no effect: no such key is known",
        "app.json: formation.web.autoscaling.max has no effect: no such key is known",
        "app.json: formation.web.services has no effect: no such key is known",
        "app.json: cron[0].timezone has no effect: no such key is known",
    ]


def test_an_app_without_our_sections_does_not_pay_for_the_check() -> None:
    program = (
        "import sys; sys.path.insert(0, 'lib'); from scheduler_k3s import app_json_schema; "
        "app_json_schema.check({'scripts': {}, 'cron': []}); sys.exit('jsonschema' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
