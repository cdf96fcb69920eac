"""Programs whose output is seen as it comes."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from scheduler_k3s.errors import Cancelled
from scheduler_k3s.operations import signals
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import streamed
from scheduler_k3s.tools.command import CommandError


def shell(script: str, timeout: float = 20.0, secret: str = "") -> None:
    streamed.run(["/bin/sh", "-c", script], timeout=timeout, secrets=[Secret(secret)])


def test_lines_of_both_streams_are_shown_with_secrets_starred(capfd: pytest.CaptureFixture[str]) -> None:
    shell("echo one; echo token=c4n4ry >&2; printf 'over\\rwritten'", secret="c4n4ry")
    assert capfd.readouterr().out == "       one\n       token=***\n       written\n"


def test_a_failure_repeats_the_end_only(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError) as error:
        shell("seq 1000; echo c4n4ry; exit 3", secret="c4n4ry")
    assert (error.value.code, error.value.output) == (3, "999\n1000\n***")


def test_what_quiet_kept_from_the_user_is_in_the_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")
    with pytest.raises(CommandError) as error:
        shell("seq 12; exit 1")
    assert error.value.output.splitlines() == [str(number) for number in range(1, 13)]
    assert capfd.readouterr().out == ""


def test_a_service_that_keeps_the_output_open_does_not_hold_us(tmp_path: Path) -> None:
    started = time.monotonic()
    shell(f"sleep 30 & echo $! >{tmp_path}/pid")
    assert time.monotonic() - started < 15
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_time_over_ends_the_program_and_its_children(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no end after 1 s"):
        shell(f"sleep 60 & echo $! >{tmp_path}/pid; wait", timeout=1.0)
    assert is_gone(int((tmp_path / "pid").read_text()))


def test_a_signal_ends_the_program_and_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def interrupt() -> None:
        while not pid.exists() or not pid.read_text().strip():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Cancelled), signals.cancellable("cancelled"):
        shell(f"sleep 60 & echo $! >{pid}; wait")
    thread.join()
    assert is_gone(int(pid.read_text()))


def test_long_silences_are_broken(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(streamed, "_SILENCE", 0.5)
    shell("sleep 2")
    assert "       sh is still running (" in capfd.readouterr().out


def test_programs_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"/nowhere/x does not exist"):
        streamed.run(["/nowhere/x"], timeout=1)
    with pytest.raises(CommandError, match=r"Permission denied"):
        streamed.run([str(tmp_path)], timeout=1)


def is_gone(process: int) -> bool:
    """Or dead and not reaped yet, where nobody adopts orphans."""
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:1] in ("", "Z")
