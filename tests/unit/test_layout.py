"""What dokku and plugn look for at the plugin's root."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRIGGERS = sorted(os.listdir(ROOT / "triggers"))
ENTRY_POINTS = [ROOT / "commands", *(ROOT / "subcommands").iterdir(), *(ROOT / "triggers").iterdir()]


def test_each_trigger_has_its_link_and_each_link_its_trigger() -> None:
    """plugn looks at the root only, and a trigger that nobody answers counts as done."""
    links = {path.name: os.readlink(path) for path in ROOT.iterdir() if path.is_symlink()}
    assert links == {name: f"triggers/{name}" for name in TRIGGERS}


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: path.name)
def test_entry_points_run_on_the_bare_system_interpreter(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o755
    assert path.read_text().splitlines()[0] == "#!/usr/bin/python3 -IS"


@pytest.mark.parametrize("name", [name for name in TRIGGERS if name.startswith("scheduler-")])
def test_other_schedulers_get_a_silent_no_from_an_interpreter_that_imported_nothing(name: str) -> None:
    """Their apps call us for every operation, so a no costs what the interpreter costs."""
    command = ["/usr/bin/python3", "-IS", "-X", "importtime"]
    called = subprocess.run(
        [*command, ROOT / name, "docker-local", "app"], capture_output=True, text=True, check=False
    )
    bare = subprocess.run([*command, "-c", "pass"], capture_output=True, text=True, check=True)
    modules = [
        {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()} for done in (called, bare)
    ]
    assert (called.returncode, called.stdout) == (0, "")
    assert modules[0] == modules[1]


def test_plugin_toml_has_the_empty_table_that_plugn_needs() -> None:
    lines = (ROOT / "plugin.toml").read_text().splitlines()
    assert lines[0] == "[plugin]"
    assert [line.split(" = ")[0] for line in lines[1:-1]] == ["description", "version"]
    assert lines[-1] == "[plugin.config]"
    assert lines[2] in (ROOT / "pyproject.toml").read_text().splitlines()


def test_nothing_else_is_named_commands() -> None:
    """`dokku help` runs every such file below the plugin's directory."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in tracked.splitlines() if "commands" in name.split("/")] == ["commands"]
