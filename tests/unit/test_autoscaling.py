"""`formation.<type>.autoscaling` of app.json: defaults, placeholders, and what is refused in which words."""

from typing import Any

import pytest
from scheduler_k3s import autoscaling
from scheduler_k3s.autoscaling import Autoscaling, HttpScaling, Trigger
from scheduler_k3s.errors import PluginError

CPU = {"type": "cpu", "metadata": {"value": "60"}}
HERE = "app.json: formation.web.autoscaling"


def parsed(section: Any, scale: int = 2) -> tuple[Autoscaling | None, list[str]]:
    told: list[str] = []
    return autoscaling.parse("shop", "web", scale, section, told.append), told


def found(scale: int = 2, **section: Any) -> Autoscaling:
    result, told = parsed({"triggers": [CPU], **section}, scale)
    assert result is not None
    assert told == []
    return result


def refusal(**section: Any) -> str:
    with pytest.raises(PluginError) as raised:
        parsed({"triggers": [CPU], **section})
    return raised.value.message


def filled(text: str) -> str:
    return found(triggers=[{"type": "prometheus", "metadata": {"query": text}}]).triggers[0].metadata["query"]


def test_what_is_not_given() -> None:
    assert found() == Autoscaling(2, 2, 30, 300, [Trigger("trigger-cpu-1", "cpu", {"value": "60"})])


def test_what_is_given() -> None:
    triggers = [
        {"type": "cpu", "name": "load", "metadata": {}},
        {"type": "cron", "metadata": {"end": "0 8 * * *"}},
        {"type": "kafka"},
    ]
    assert found(
        min_quantity=0,
        max_quantity=9,
        polling_interval_seconds=5,
        cooldown_period_seconds=60,
        triggers=triggers,
    ) == Autoscaling(
        0,
        9,
        5,
        60,
        [
            Trigger("load", "cpu", {}),
            Trigger("trigger-cron-2", "cron", {"end": "0 8 * * *"}),
            Trigger("trigger-kafka-3", "kafka", {}),
        ],
    )


@pytest.mark.parametrize(
    ("scale", "section", "expected"),
    [
        (3, {}, (3, 3)),
        (3, {"min_quantity": 5}, (5, 5)),
        (3, {"min_quantity": 1}, (1, 3)),
        (3, {"max_quantity": 8}, (3, 8)),
        (0, {}, (0, 0)),
        (0, {"max_quantity": 2}, (0, 2)),
    ],
)
def test_limits_come_from_the_scale(scale: int, section: dict[str, int], expected: tuple[int, int]) -> None:
    result = found(scale, **section)
    assert (result.minimum, result.maximum) == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"cooldown_seconds": 7}, 7),
        ({"cooldown_period_seconds": 8}, 8),
        ({"cooldown_seconds": 7, "cooldown_period_seconds": 8}, 8),
        ({"cooldown_seconds": 7, "cooldown_period_seconds": None}, 7),
        ({"cooldown_seconds": 7, "cooldown_period_seconds": 0}, 0),
    ],
)
def test_both_names_of_the_cooldown(section: dict[str, int], expected: int) -> None:
    assert found(**section).cooldown == expected


@pytest.mark.parametrize("section", [None, {}, {"triggers": []}, {"triggers": None, "min_quantity": 3}])
def test_nothing_to_scale_by(section: Any) -> None:
    assert parsed(section) == (None, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[ .APP_NAME ]]", "shop"),
        ("[[.PROCESS_TYPE]]", "web"),
        ("a [[ .DEPLOYMENT_NAME]]-[[ .DOKKU_APP_NAME ]]", "a shop-web-shop"),
        ("[[ .DOKKU_PROCESS_TYPE ]] [[ .DOKKU_DEPLOYMENT_NAME ]]", "web shop-web"),
        ('rate(x{d="DOKKU_DEPLOYMENT_NAME"})', 'rate(x{d="shop-web"})'),
        ("DOKKU_APP_NAME:DOKKU_PROCESS_TYPE", "shop:web"),
        ("MY_DOKKU_APP_NAME DOKKU_APP_NAMES APP_NAME", "MY_DOKKU_APP_NAME DOKKU_APP_NAMES APP_NAME"),
        ("{{ .APP_NAME }} [ .APP_NAME ] ]]", "{{ .APP_NAME }} [ .APP_NAME ] ]]"),
    ],
)
def test_placeholders(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize("text", ["[[ .OTHER ]]", "[[ APP_NAME ]]", "[[]]", "[[ .APP_NAME | upper ]]"])
def test_other_placeholders_are_refused(text: str) -> None:
    told = refusal(triggers=[CPU, {"type": "x", "metadata": {"query": f"a {text}"}}])
    assert told.startswith(f"{HERE}.triggers[1].metadata.query: {text} stands for nothing")
    assert "[[ .DEPLOYMENT_NAME ]]" in told


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"triggers": {"type": "cpu"}}, ".triggers: not a list"),
        ({"triggers": ["cpu"]}, ".triggers[0]: not an object"),
        ({"triggers": [CPU, {"metadata": {}}]}, ".triggers[1].type: missing"),
        ({"triggers": [{"type": ""}]}, ".triggers[0].type: missing"),
        ({"triggers": [{"type": 5}]}, ".triggers[0].type: 5"),
        ({"triggers": [{"type": "cpu", "name": 5}]}, ".triggers[0].name: 5 is not a text"),
        ({"triggers": [{"type": "cpu", "metadata": [1]}]}, ".triggers[0].metadata: not an object"),
        (
            {"triggers": [{"type": "cpu", "metadata": {"value": 60}}]},
            ".triggers[0].metadata.value: 60 is not a text",
        ),
        ({"triggers": [{**CPU, "name": "a"}, {**CPU, "name": "a"}]}, ".triggers[1].name: a is an earlier"),
        ({"min_quantity": -1}, ".min_quantity: -1 is not a whole number"),
        ({"max_quantity": "3"}, ".max_quantity: '3' is not a whole number"),
        ({"polling_interval_seconds": True}, ".polling_interval_seconds: True is not"),
        ({"cooldown_seconds": 1.5}, ".cooldown_seconds: 1.5 is not"),
        ({"min_quantity": 3, "max_quantity": 2}, ".max_quantity: 2 is less than min_quantity, which is 3"),
        ({"max_quantity": 1}, ".max_quantity: 1 is less than min_quantity, which is 2, the scale"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(section: dict[str, Any], told: str) -> None:
    assert refusal(**section).startswith(f"{HERE}{told}")


def test_a_section_of_another_shape() -> None:
    with pytest.raises(PluginError, match=r"app\.json: formation\.web\.autoscaling: not an object"):
        parsed([CPU])


def http(**metadata: Any) -> HttpScaling | None:
    return found(triggers=[{"type": "http", "metadata": metadata}]).http


def test_what_the_http_trigger_counts() -> None:
    assert http() == HttpScaling("request_rate", 300, 1, 100, 60, 100)
    assert http(
        scale_by="concurrency",
        scaledown_period_seconds="5",
        request_rate_granularity_seconds="2",
        request_rate_target_value="3",
        request_rate_window_seconds="4",
        concurrency_target_value="6",
    ) == HttpScaling("concurrency", 5, 2, 3, 4, 6)
    assert found().http is None


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"scale_by": "weather"}, "metadata.scale_by: 'weather' is neither request_rate nor concurrency"),
        (
            {"concurrency_target_value": "many"},
            "metadata.concurrency_target_value: 'many' is not a whole number",
        ),
        ({"scaledown_period_seconds": "-1"}, "metadata.scaledown_period_seconds: '-1'"),
    ],
)
def test_http_metadata_that_is_wrong(metadata: dict[str, str], told: str) -> None:
    message = refusal(triggers=[{"type": "http", "metadata": metadata}])
    assert message.startswith(f"{HERE}.triggers[0].{told}")


def test_one_http_trigger_at_most() -> None:
    assert refusal(triggers=[{"type": "http"}, CPU, {"type": "http"}]) == (
        f"{HERE}.triggers[2]: a process can have one http trigger only"
    )


def test_http_metadata_that_nobody_reads_is_told() -> None:
    told = parsed({"triggers": [{"type": "http", "metadata": {"scale": "1"}}]})[1]
    assert told == [f"{HERE}.triggers[0].metadata.scale: unknown to the http trigger and left out"]
