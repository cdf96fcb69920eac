"""The tasks of app.json: dokku's ids, what is refused and in which words."""

from typing import Any

import pytest
from scheduler_k3s import cron
from scheduler_k3s.errors import PluginError


def task(command: str = "node cleanup.js", schedule: str = "*/5 * * * *", **fields: Any) -> dict[str, Any]:
    return {"command": command, "schedule": schedule, **fields}


def entries(*tasks: Any) -> tuple[list[cron.Entry], list[str]]:
    told: list[str] = []
    return cron.entries("node-js-app", {"cron": list(tasks)}, told.append), told


def refusal(item: Any) -> str:
    with pytest.raises(PluginError) as raised:
        entries(task(), item)
    return raised.value.message


def test_the_id_is_dokku_s_and_the_hash_is_made_of_it() -> None:
    (found,), told = entries(task())
    assert found.id == "2z18j67uhp8m8a2zgpo153oh5n0t3pv367k5j5ovg37vjnr2asxu8n5a5vzde3fkkkq"
    assert cron.task_hash(found.id) == "d3f329570d37ed9e99956ef429e8d2458d33a85f"
    assert (found.args, found.policy, found.maintenance) == (("node", "cleanup.js"), "Allow", False)
    assert told == []


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 * * * *",
        "0,30 8-18/2 1 jan-dec MON-FRI",
        "1,,2 * * * *",
        "5/15 0 31 12 6",
        "? ? ? ? ?",
        "  1  2 3 4 0 ",
        "@daily",
        "@hourly",
        "@every 1h30m",
    ],
)
def test_schedules_stay_as_they_are(schedule: str) -> None:
    (found,), _ = entries(task(schedule=schedule))
    assert found.schedule == schedule


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("* * * *", "it has 4 fields"),
        ("0 * * * * *", "it has 6 fields"),
        ("60 * * * *", "'60' is no minute (0 to 59)"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * 13 *", "'13' is no month"),
        ("* * * * 7", "'7' is no day of the week"),
        ("5-1 * * * *", "'5-1'"),
        ("*/0 * * * *", "'*/0'"),
        ("-1 * * * *", "'-1'"),
        ("a * * * *", "'a'"),
        ("@fortnightly", "@daily"),
        ("TZ=UTC * * * * *", "6 fields"),
    ],
)
def test_a_schedule_that_is_none_is_named_with_its_place(schedule: str, why: str) -> None:
    told = refusal(task(schedule=schedule))
    assert told.startswith(f"app.json: cron[1].schedule: {schedule!r} is not a schedule: ")
    assert why in told


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("echo 'a b' \"c $X\" * ~ {a,b}", ("echo", "a b", "c $X", "*", "~", "{a,b}")),
        ("x 60 true '' # no", ("x", "60", "true", "")),
        ("sh -c 'a && b | c > d'", ("sh", "-c", "a && b | c > d")),
    ],
)
def test_a_command_is_split_and_nothing_in_it_expanded(command: str, args: tuple[str, ...]) -> None:
    assert entries(task(command))[0][0].args == args


@pytest.mark.parametrize("command", ["a && b", "a | b", "a; b", "a > b", "echo 'x", "a &"])
def test_a_command_for_a_shell_is_refused(command: str) -> None:
    told = refusal(task(command))
    assert told.startswith("app.json: cron[1].command: 1:")
    assert command in told
    assert "sh -c" in told


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (7, "app.json: cron[1]: not an object"),
        (task(command=7), "app.json: cron[1].command: 7 is not a text"),  # type: ignore[arg-type]
        (task(schedule=["* * * * *"]), "app.json: cron[1].schedule: ['* * * * *'] is not a text"),  # type: ignore[arg-type]
        (task(maintenance="yes"), "app.json: cron[1].maintenance: 'yes' is neither true nor false"),
        (task(maintenance=1), "app.json: cron[1].maintenance: 1 is neither true nor false"),
        (
            task(concurrency_policy="never"),
            "app.json: cron[1].concurrency_policy: 'never' is none of allow, forbid, replace",
        ),
    ],
)
def test_wrong_types_and_words(item: Any, why: str) -> None:
    assert refusal(item) == why


def test_a_list_is_wanted() -> None:
    with pytest.raises(PluginError, match=r"app\.json: cron: not a list"):
        cron.entries("a", {"cron": {"command": "x"}}, print)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (task(""), "command"),
        (task(" # nothing"), "command"),
        ({"schedule": "* * * * *"}, "command"),
        (task(schedule=" "), "schedule"),
        (task(schedule=""), "schedule"),
        ({"command": "x", "schedule": None}, "schedule"),
    ],
)
def test_half_a_task_is_skipped_and_said(item: Any, why: str) -> None:
    found, told = entries(item, task())
    assert len(found) == 1
    assert told == [f"app.json: cron[0]: skipped, it has no {why}"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(None, "Allow"), ("", "Allow"), ("allow", "Allow"), ("forbid", "Forbid"), ("replace", "Replace")],
)
def test_policies_have_kubernetes_spelling(policy: str | None, expected: str) -> None:
    assert entries(task(concurrency_policy=policy))[0][0].policy == expected


def test_two_tasks_that_are_one() -> None:
    found, told = entries(task(), task(), task("other"), task(maintenance=True))
    assert [entry.args for entry in found] == [("node", "cleanup.js"), ("other",)]
    assert told == ["app.json: cron[3]: the same task as cron[0], whose settings count"]


@pytest.mark.parametrize(
    ("listed", "properties", "expected"),
    [
        (False, {}, False),
        (True, {}, True),
        (False, {"maintenance": "true"}, True),
        (False, {"maintenance": "false", "maintenance.abc": "true"}, True),
        (False, {"maintenance": "false", "maintenance.abd": "true"}, False),
        (False, {"maintenance.abc": "false"}, False),
    ],
)
def test_whose_maintenance_suspends(listed: bool, properties: dict[str, str], expected: bool) -> None:
    assert cron.is_suspended("abc", listed, properties) is expected
