"""docs/k3s.md: what can be told without running it, and the comparison that its test uses."""

import shlex
import sys
from pathlib import Path

import pytest
from rig import guide
from scheduler_k3s import arguments
from scheduler_k3s.synopses import COMMANDS

_REPORTS = ("report", "charts:report")


def test_its_blocks_are_all_run_somewhere() -> None:
    found = guide.blocks()
    assert sum(block.is_run(guide.RIG) for block in found) > 10
    assert sum(block.is_run(guide.MACHINES) for block in found) > 3


@pytest.mark.parametrize(
    "text", ["```sh\nx\n```\n", "```sh later\nx\n```\n", "```text output\nx\n```\n", "```sh rig\n"]
)
def test_a_block_that_nobody_runs_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text)
    with pytest.raises(ValueError):
        guide.blocks(tmp_path / "page.md")


def commands() -> list[list[str]]:
    lines = [line for block in guide.blocks() for line in block.text.replace("\\\n", " ").splitlines()]
    found = [
        shlex.split(line.split(" > ")[0].split(" || ")[0]) for line in lines if line.startswith("dokku ")
    ]
    return [words[1:] for words in found if words[1].startswith("scheduler-k3s:")]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_line_is_understood(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOKKU_APP_NAME", raising=False)
    monkeypatch.setattr(sys, "argv", ["subcommand", *words])
    name = words[0].removeprefix("scheduler-k3s:")
    (arguments.parse_report if name in _REPORTS else arguments.parse)(name)


def test_it_shows_every_command_there_is() -> None:
    """In a block, or in its text."""
    text = guide.GUIDE.read_text()
    short = {name.removesuffix(":set").removesuffix(":report") for name in COMMANDS}
    assert {name for name in short if name not in text} == {"profiles:remove"}


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a\nb\n", "a  \nb\n"),
        ("...\nb\n", "b\n"),
        ("...\nb\n...\n", "x\ny\nb\nz\n"),
        ("web-... (x)\n", "web-1 2 (x)\n"),
    ],
)
def test_output_that_is_as_shown(expected: str, actual: str) -> None:
    assert guide.differs(expected, actual) == ""


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("a\n", "a\nb\n"), ("a\nb\n", "a\n"), ("a.c\n", "abc\n"), ("...\nb\n", "x\n"), ("a ... c\n", "a\nc\n")],
)
def test_output_that_is_not(expected: str, actual: str) -> None:
    assert "but it was" in guide.differs(expected, actual)
