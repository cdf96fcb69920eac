"""Each command explains itself on one screen, and its example is one that it takes."""

import shlex
import sys

import pytest
from scheduler_k3s import arguments, settings, usage
from scheduler_k3s.errors import PluginError
from scheduler_k3s.synopses import BOOL, COMMANDS

NAMES = sorted(COMMANDS)


def shown(name: str, *words: str) -> list[str]:
    return [*usage.lines(COMMANDS[name]), *(settings.reference(words) if name == "set" else [])]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_one_screen(name: str) -> None:
    lines = shown(name)
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 80
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_whole_synopsis_the_summary_and_every_flag(name: str) -> None:
    command = COMMANDS[name]
    text = " ".join(" ".join(shown(name)).split())
    assert text.startswith(f"Usage: dokku {command.synopsis} {command.summary}")
    for flag in command.flags:
        value = "" if flag.kind == BOOL else f"{flag.kind} "
        assert f"--{flag.name} {value}{flag.summary}" in text
        assert (f"(default {flag.default})" in text) or not flag.default


@pytest.mark.parametrize("name", NAMES)
def test_a_line_never_ends_inside_brackets(name: str) -> None:
    for line in shown(name):
        if line.startswith(("Usage:", "          [", "          <")):
            assert line.count("[") == line.count("]")


@pytest.mark.parametrize("name", NAMES)
def test_its_example_is_a_line_that_it_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOKKU_APP_NAME", raising=False)
    example = shown(name)[shown(name).index("Example:") + 1]
    dokku, called, *words = shlex.split(example.split(" > ")[0])
    assert (dokku, called) == ("dokku", f"scheduler-k3s:{name}")
    monkeypatch.setattr(sys, "argv", ["subcommand", called, *words])
    parse = arguments.parse_report if name in ("report", "charts:report") else arguments.parse
    try:
        said = parse(name)
    except PluginError as error:
        raise AssertionError(error.message) from error
    if name == "set":
        assert settings.normalise(said.word(0), said.word(1))


def test_names_in_columns_are_read_downwards() -> None:
    names = ["a" * 30, "b", "c", "d", "e"]
    assert usage.columns(names) == [f"{'a' * 30}  {'d':<32}".rstrip(), f"{'b':<32}e", "c"]
