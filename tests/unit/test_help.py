"""The help lists what is there, in the order of the table, and never breaks dokku's columns."""

import os
import subprocess
from pathlib import Path

import pytest
from scheduler_k3s import help
from scheduler_k3s.synopses import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin that has every command."""
    folder = tmp_path / "subcommands"
    folder.mkdir()
    for name in [*COMMANDS, "cluster-add"]:
        (folder / name).touch(mode=0o755)
    return tmp_path


def test_every_command_has_a_line_in_the_table_s_order(plugin: Path) -> None:
    lines = help.full(str(plugin))
    assert lines[:5] == [
        "Usage: dokku scheduler-k3s[:COMMAND]",
        "",
        "Manage scheduler-k3s settings for an app",
        "",
        "Additional commands:",
    ]
    assert [line.split()[0] for line in lines[5:]] == [f"scheduler-k3s:{name}" for name in COMMANDS]
    starts = {line.index(command.summary) for line, command in zip(lines[5:], COMMANDS.values(), strict=True)}
    assert starts == {4 + max(len(command.synopsis) for command in COMMANDS.values()) + 2}


def test_what_cannot_be_run_is_not_listed(plugin: Path) -> None:
    (plugin / "subcommands/preview").unlink()
    (plugin / "subcommands/uninstall").chmod(0o644)
    text = "\n".join(help.full(str(plugin)))
    assert "scheduler-k3s:preview" not in text
    assert "scheduler-k3s:uninstall" not in text
    assert "scheduler-k3s:set <app|--global> <property> (<value>)" in text


def test_dokku_help_gets_one_line() -> None:
    assert help.for_dokku(str(ROOT)) == ["    scheduler-k3s, Manage scheduler-k3s settings for an app"]


def test_under_all_each_line_has_exactly_one_comma(plugin: Path) -> None:
    """`--all` is only in the parent's command line, so a parent with that command line asks."""
    script = f'import sys; sys.path.insert(0, "{ROOT}/lib"); from scheduler_k3s import help; '
    script += f'print("\\n".join(help.for_dokku("{plugin}")))'
    shell = ["bash", "-c", '/usr/bin/python3 -IS -c "$1"; true', "dokku", script, "help", "--all"]
    lines = subprocess.run(shell, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(COMMANDS)
    for line in lines:
        assert line.startswith("    scheduler-k3s:")
        assert line.count(",") == 1
    assert "    scheduler-k3s:set <app|--global> <property> (<value>), Set or clear a property" in lines


def test_every_subcommand_is_known_to_the_table() -> None:
    dashed = {"cluster-add", "cluster-list", "cluster-remove"}
    assert set(os.listdir(ROOT / "subcommands")) - dashed <= set(COMMANDS)


@pytest.mark.parametrize(
    "words", [[], ["logs", "app"], ["scheduler-k3s:nonsense"], ["config:help"], ["help-me"]]
)
@pytest.mark.parametrize(("variable", "code"), [({}, 10), ({"DOKKU_NOT_IMPLEMENTED_EXIT": "11"}, 11)])
def test_foreign_words_are_refused_silently(words: list[str], variable: dict[str, str], code: int) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DOKKU_NOT_IMPLEMENTED_EXIT"}
    done = subprocess.run(
        [ROOT / "commands", *words], capture_output=True, check=False, env=environment | variable
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


def test_foreign_words_import_nothing_of_ours() -> None:
    command = ["/usr/bin/python3", "-IS", "-X", "importtime", str(ROOT / "commands"), "logs", "app"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    imported = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines()}
    bare = subprocess.run([*command[:4], "-c", "import posix"], capture_output=True, text=True, check=True)
    assert imported <= {line.rsplit("|", 1)[1].strip() for line in bare.stderr.splitlines()}


@pytest.mark.parametrize("word", ["scheduler-k3s", "scheduler-k3s:help"])
def test_both_spellings_print_the_same(word: str) -> None:
    done = subprocess.run([ROOT / "commands", word], capture_output=True, text=True, check=True)
    assert done.stdout == "\n".join(help.full(str(ROOT))) + "\n"
    assert done.stderr == ""
