"""Starting programs: every way in which one can fail is an error that names it."""

from pathlib import Path

import pytest
from scheduler_k3s.tools.command import CommandError, run


def test_programs_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"x failed with exit code 127: /nowhere/x does not exist"):
        run(["/nowhere/x"])
    with pytest.raises(CommandError, match=r"Permission denied"):
        run([str(tmp_path)])
    (tmp_path / "broken").write_bytes(b"\x7fELF")
    (tmp_path / "broken").chmod(0o755)
    with pytest.raises(CommandError, match=r"failed with exit code 126: .*/broken: Exec format error"):
        run([f"{tmp_path}/broken"])


@pytest.mark.parametrize(("number", "name"), [(15, "SIGTERM"), (40, "signal 40")])
def test_programs_that_a_signal_ends(number: int, name: str) -> None:
    with pytest.raises(CommandError, match=rf"^sh was ended by {name}$"):
        run(["sh", "-c", f"kill -{number} $$"])
