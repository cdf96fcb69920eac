"""Whatever is in an object is in the chart, and means the same to who reads it as YAML."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from scheduler_k3s.manifests import chart
from scheduler_k3s.tools.resources import manifest_objects

LOOK_ALIKES = [
    "",
    " ",
    "~",
    "null",
    "on",
    "no",
    "y",
    "n",
    "true",
    "1e3",
    "0x1F",
    "007",
    "0o7",
    "1_000",
    "12:30:45",
    "2024-01-01",
    ".5",
    ".inf",
    "=",
    "<<",
    "#",
    "a #b",
    "a: b",
    "*",
    "&",
    "!",
    "!!str 1",
    "%",
    "%YAML 1.1",
    "@",
    "`",
    "|",
    ">-",
    "- x",
    "? x",
    "[",
    "{",
    "}",
    "'",
    '"',
    "\\",
    "\\n",
    "---",
    "...",
    "a\n---\nb",
    "\n---\n",
    "\n...\n",
    "\t",
    "\r\n",
    "\n",
    "\x00",
    "\x07",
    "\x1b[0m",
    "\x7f",
    "\x85",
    "\xa0",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\U0001f600",
    "\U0001fffe",
    "\U0010ffff",
    "{{ .Values.x }}",
    "{{/* x */}}",
    "${x}",
    "$(id)",
    "</script>",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(LOOK_ALIKES)
VALUE = st.recursive(
    TEXT | st.integers(-(2**31), 2**31) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_texts_stay_texts_as_value_key_and_item(text: str) -> None:
    value = {"value": text, text: "key", "list": [text]}
    assert yaml.load(chart.to_json(value), Loader=yaml.CSafeLoader) == value
    assert json.loads(chart.to_json(value)) == value


@given(VALUE)
@example("\ud7ff\ue000\x85\x7f\u2028")
def test_any_value_survives(value: object) -> None:
    text = chart.to_json(value)
    assert yaml.load(text, Loader=yaml.CSafeLoader) == value
    assert json.loads(text) == value
    text.encode()


def item(name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


@given(st.lists(st.dictionaries(TEXT, TEXT, max_size=3), max_size=4))
def test_objects_are_told_apart_whatever_is_in_them(contents: list[dict[str, str]]) -> None:
    objects = [item(f"x{n}", data=data) for n, data in enumerate(contents)]
    text = chart.files("shop", "0.0.1", objects, {})["objects.json"]
    assert list(yaml.load_all(text, Loader=yaml.CSafeLoader)) == objects
    assert list(manifest_objects(text)) == objects


def test_the_files_of_a_chart() -> None:
    files = chart.files("123", "0.0.1700000000", [item("a")], {"global": {"app_name": "123"}})
    assert sorted(files) == ["Chart.yaml", "objects.json", "templates/objects.yaml", "values.yaml"]
    assert yaml.safe_load(files["Chart.yaml"]) == {
        "apiVersion": "v2",
        "name": "123",
        "version": "0.0.1700000000",
        "appVersion": "1.0.0",
        "icon": "https://dokku.com/assets/dokku-logo.svg",
    }
    assert yaml.safe_load(files["values.yaml"]) == {"global": {"app_name": "123"}}


def test_nothing_of_an_object_gets_into_a_template() -> None:
    one = chart.files("shop", "0.0.1", [item("a", data={"x": "{{ fail }}"})], {"y": "{{ fail }}"})
    other = chart.files("shop", "0.0.1", [], {})
    assert one["templates/objects.yaml"] == other["templates/objects.yaml"]


def test_equal_objects_make_equal_charts() -> None:
    one = chart.files("shop", "0.0.1", [{"kind": "A", "apiVersion": "v1"}], {"b": 1, "a": 2})
    assert one == chart.files("shop", "0.0.1", [{"apiVersion": "v1", "kind": "A"}], {"a": 2, "b": 1})


def test_what_later_operations_read_back() -> None:
    values = chart.app_values(
        app="shop",
        namespace="default",
        deployment_id="1700000000",
        image={"name": "i:3", "type": "pack", "working_dir": "/workspace"},
        processes={"on": {"deployment_id": "1600000000"}},
    )
    assert yaml.safe_load(chart.to_json(values)) == {
        "global": {
            "app_name": "shop",
            "namespace": "default",
            "deployment_id": "1700000000",
            "image": {"name": "i:3", "type": "pack", "working_dir": "/workspace"},
        },
        "processes": {"on": {"deployment_id": "1600000000"}},
    }
