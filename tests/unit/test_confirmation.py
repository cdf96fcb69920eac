"""Asking before something is lost: at a real terminal, and not asking without one."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = (
    "from scheduler_k3s import confirmation\n"
    "from scheduler_k3s.errors import PluginError\n"
    "try:\n"
    "    confirmation.ask('This command will remove node-1', 'node-1')\n"
    "except PluginError as error:\n"
    "    print('refused:', error.message)\n"
    "else:\n"
    "    print('went on')\n"
)


def run(stdin: int) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdin=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "lib")},
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (b"node-1\n", "went on"),
        (b" node-1 \n", "went on"),
        (b"y\n", "refused: Confirmation did not match node-1. Aborted, nothing has changed"),
        (b"\n", "refused: Confirmation did not match node-1. Aborted, nothing has changed"),
        (b"\x04", "refused: Confirmation did not match node-1. Aborted, nothing has changed"),
    ],
)
def test_at_a_terminal_the_name_has_to_be_typed(typed: bytes, expected: str) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed)
        said, asked = run(theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert said == expected
    assert " !     This command will remove node-1\n" in asked
    assert ' !     To proceed, type "node-1"\n' in asked


def test_a_script_is_not_asked() -> None:
    assert run(subprocess.DEVNULL) == ("went on", "")
