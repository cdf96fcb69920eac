"""From dokku's facts to the cron tasks of the model."""

from typing import Any

import pytest
from scheduler_k3s import cron
from scheduler_k3s.app import CronTask
from scheduler_k3s.manifests import objects
from unit.models import REQUESTS
from unit.test_assemble import assembled, facts, refusal

ID = cron.task_id("shop", "node x.js", "@daily")


def tasks(*, suffixes: dict[str, str] | None = None, **changes: Any) -> list[CronTask]:
    app_json = {"cron": [{"command": "node x.js", "schedule": "@daily"}]}
    return list(assembled(facts(app_json=app_json, **changes), cron_suffixes=suffixes).cron)


def test_a_task_keeps_the_suffix_of_its_live_cron_job() -> None:
    (task,) = tasks(suffixes={ID: "a1b2c3d4e5", "other": "ffffffffff"})
    assert task == CronTask(
        ID, cron.task_hash(ID), "a1b2c3d4e5", "@daily", ("node", "x.js"), resources=REQUESTS
    )


def test_a_new_task_gets_ten_hexadecimal_digits() -> None:
    found = {tasks(suffixes={"other": "ffffffffff"})[0].suffix for _ in range(4)}
    assert len(found) == 4
    assert all(len(suffix) == 10 and set(suffix) <= set("0123456789abcdef") for suffix in found)


@pytest.mark.parametrize("properties", [{"maintenance": "true"}, {f"maintenance.{ID}": "true"}])
def test_maintenance_suspends(properties: dict[str, str]) -> None:
    assert [task.suspend for task in tasks(cron=properties)] == [True]
    assert [task.suspend for task in tasks()] == [False]


def test_resources_are_looked_up_by_id() -> None:
    resources = {f"{ID}.limit.memory": "1g", "_default_.reserve.cpu": "1", "cron.reserve.cpu": "3"}
    (task,) = tasks(resources=resources)
    assert task.resources == {"requests": {"cpu": "1", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}


def test_a_long_name_is_refused_for_cron_alone() -> None:
    long = "a" * 37
    assembled(facts(app=long))
    app_json = {"cron": [{"command": "x", "schedule": "@daily"}]}
    assert "CronJob" in refusal(facts(app=long, app_json=app_json))


def test_what_is_left_out_is_told() -> None:
    app = assembled(facts(app_json={"cron": [{"command": "x"}]}))
    assert app.cron == []
    assert objects.warnings(app) == ["app.json: cron[0]: skipped, it has no schedule"]


def test_two_hundred_tasks_are_two_hundred_objects() -> None:
    many = [{"command": f"x {number}", "schedule": "* * * * *"} for number in range(200)] * 2
    built = objects.build(assembled(facts(app_json={"cron": many})))
    names = {item["metadata"]["name"] for item in built if item["kind"] == "CronJob"}
    assert len(names) == 200
