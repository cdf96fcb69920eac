"""The first signal ends an operation in order; later ones do not disturb the end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scheduler_k3s.errors import Cancelled
from scheduler_k3s.operations.signals import SIGNALS, cancellable

LIB = str(Path(__file__).parents[3] / "lib")
WORK = """
import sys, time
from scheduler_k3s.errors import Cancelled
from scheduler_k3s.operations.signals import cancellable
try:
    with cancellable("Deployment of shop has been cancelled"):
        try:
            print("working", flush=True)
            time.sleep(600)
        finally:
            print("tidying", flush=True)
            sys.stdin.readline()
            print("tidy", flush=True)
except Cancelled as error:
    print(error.message, flush=True)
"""


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("later", SIGNALS)
def test_the_first_ends_and_later_ones_are_swallowed(first: signal.Signals, later: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": LIB},
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "working\n"
        child.send_signal(first)
        assert child.stdout.readline() == "tidying\n"
        child.send_signal(later)
        child.send_signal(later)
        rest, _ = child.communicate("\n", timeout=30)
    assert rest == "tidy\nDeployment of shop has been cancelled\n"
    assert child.returncode == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_afterwards_everything_is_as_before(number: signal.Signals) -> None:
    seen = []
    before = signal.signal(number, lambda *_: seen.append(number))
    try:
        with pytest.raises(Cancelled, match="stop"), cancellable("stop"):
            signal.raise_signal(number)
        with cancellable("stop"):
            pass
        signal.raise_signal(number)
        assert seen == [number]
    finally:
        signal.signal(number, before)


def test_children_get_the_usual_signals() -> None:
    """Handlers do not outlive exec; a signal that is ignored would."""
    show = "import signal; print([signal.getsignal(n) == signal.SIG_IGN for n in (1, 3, 15)])"
    with pytest.raises(Cancelled), cancellable("stop"):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout == "[False, False, False]\n"
