"""Which sinks vector gets, and how a sink is read."""

import base64
from typing import Any

import pytest
from scheduler_k3s import vector_sinks
from scheduler_k3s.errors import PluginError


def configured(sink: str = "", cron_sink: str = "") -> dict[str, Any]:
    tree = vector_sinks.config()
    vector_sinks.add(tree, sink, cron_sink)
    return tree


def inputs(tree: dict[str, Any]) -> dict[str, list[str]]:
    return {name: sink["inputs"] for name, sink in tree["sinks"].items()}


def test_without_sinks_nothing_changes() -> None:
    assert configured() == vector_sinks.config()
    assert inputs(configured()) == {
        "default_global_sink": ["kubernetes_container_logs"],
        "prom_exporter": ["internal_metrics"],
    }


def test_a_sink_takes_the_place_of_the_console() -> None:
    tree = configured("http://?uri=https%3A%2F%2Flogs.example.com&encoding[codec]=json&batch[max_events]=10")
    assert tree["sinks"]["kubernetes_global_sink"] == {
        "type": "http",
        "uri": "https://logs.example.com",
        "encoding": {"codec": "json"},
        "batch": {"max_events": 10},
        "inputs": ["kubernetes_container_logs"],
    }
    assert inputs(tree) == {
        "kubernetes_global_sink": ["kubernetes_container_logs"],
        "prom_exporter": ["internal_metrics"],
    }
    assert list(tree["transforms"]) == ["kubernetes_container_logs"]


@pytest.mark.parametrize(
    ("sink", "others"), [("", "default_global_sink"), ("blackhole://", "kubernetes_global_sink")]
)
def test_lines_of_cron_tasks_go_to_their_sink_and_to_no_other(sink: str, others: str) -> None:
    tree = configured(sink, "console://?encoding[codec]=text")
    assert inputs(tree) == {
        others: ["kubernetes_router._unmatched"],
        "kubernetes_cron_sink": ["kubernetes_cron_remap"],
        "prom_exporter": ["internal_metrics"],
    }
    router, remap = tree["transforms"]["kubernetes_router"], tree["transforms"]["kubernetes_cron_remap"]
    assert (router["inputs"], router["reroute_unmatched"]) == (["kubernetes_container_logs"], True)
    assert router["route"] == {"cron": '.kubernetes.pod_labels."app.kubernetes.io/name" == "cron"'}
    assert remap["inputs"] == ["kubernetes_router.cron"]
    assert [line.split(" = ")[0] for line in remap["source"].splitlines()] == [".dokku_app", ".dokku_cron_id"]


@pytest.mark.parametrize(
    ("text", "sink"),
    [
        ("aws-s3://?bucket=b", {"type": "aws_s3", "bucket": "b"}),
        ("aws_s3://?bucket=b", {"type": "aws_s3", "bucket": "b"}),
        ("loki://host/path?a[b][c]=1&a[d]=x", {"type": "loki", "a": {"b": {"c": 1}, "d": "x"}}),
        ("x://?l[]=1&l[]=two&on=true&t=007", {"type": "x", "l": [1, "two"], "on": True, "t": "007"}),
        ("x://?empty=&n=NaN", {"type": "x", "empty": "", "n": "NaN"}),
        ("x://?inputs[]=other&type=y", {"type": "x", "inputs": ["other"]}),
    ],
)
def test_how_a_sink_is_read(text: str, sink: dict[str, Any]) -> None:
    assert vector_sinks.parse(text) == sink


def test_encoded_options_are_decoded_and_keep_the_chart_s_templates() -> None:
    template = '{{ print "{{ pod }}" }}'
    # chosen so that its base64 has a plus sign, which a query reads as a blank
    for text in (template, "\u00fb\u00fb>>>", "  blanks\n"):
        encoded = base64.b64encode(text.encode()).decode()
        assert vector_sinks.parse(f"console://?labels=base64enc:{encoded}")["labels"] == text.strip()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("console", "must begin with a type and ://"),
        ("://?a=b", "must begin with a type and ://"),
        ("x://?sinks=y", "Invalid option sinks"),
        ("x://?sinks[a]=y", "Invalid option sinks"),
        ("x://?a=1&a[b]=hush", r"option a\[b\] contradicts"),
        ("x://?a[][b]=hush", r"option a\[\]\[b\] nests in a list"),
        ("x://?a=base64enc:hush!", "option a is not base64"),
    ],
)
def test_a_bad_sink_is_named_by_its_property_and_not_shown(text: str, reason: str) -> None:
    with pytest.raises(PluginError, match=reason) as raised:
        configured("", text)
    assert raised.value.message.startswith("Invalid vector-cron-sink of the logs plugin: ")
    assert "logs:set --global vector-cron-sink" in raised.value.message
    assert "hush" not in raised.value.message
