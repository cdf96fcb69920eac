"""Asking listeners: plugn's order, joined answers, the first failure, and several questions at once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from scheduler_k3s.dokku import triggers
from scheduler_k3s.dokku.triggers import TriggerError
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


def test_answers_are_joined_in_the_order_of_the_plugins(dokku: Host) -> None:
    dokku.listener("b", "color", "#!/bin/sh\necho b $2\n")
    dokku.listener("a", "color", "#!/bin/sh\necho a $1\n")
    assert triggers.ask("color", "red", "blue sky") == "a red\nb blue sky\n"


def test_nobody_answers(dokku: Host) -> None:
    assert triggers.ask("color") == ""


def test_events_and_what_cannot_be_run_are_passed_over(dokku: Host) -> None:
    dokku.listener("20_events", "color", "#!/bin/sh\necho log\nexit 1\n")
    dokku.listener("a", "color", "#!/bin/sh\necho a\n").chmod(0o644)
    (dokku.enabled / "b/color").mkdir(parents=True)
    assert triggers.ask("color") == ""


def test_the_first_failure_ends_it(dokku: Host) -> None:
    dokku.listener("a", "color", "#!/bin/sh\necho a\necho 'no  color' >&2\nexit 20\n")
    dokku.listener("b", "color", f"#!/bin/sh\ntouch {dokku.lib}/asked\n")
    with pytest.raises(TriggerError) as raised:
        triggers.ask("color")
    assert raised.value.code == 20
    assert raised.value.message == "dokku's a plugin failed to answer color (20): no  color"
    assert not (dokku.lib / "asked").exists()


def test_a_listener_that_cannot_be_started(dokku: Host) -> None:
    dokku.listener("a", "color", "#!/nonexistent/shell\n")
    with pytest.raises(TriggerError, match=r"\(126\): No such file"):
        triggers.ask("color")


def test_a_listener_without_an_end(dokku: Host) -> None:
    dokku.listener("a", "color", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(TriggerError, match=r"\(124\): no answer after 0\.2 s"):
        triggers.ask("color", timeout=0.2)


def test_listeners_have_nothing_to_read(dokku: Host) -> None:
    dokku.listener("a", "color", "#!/bin/sh\ncat\necho end\n")
    assert triggers.ask("color") == "end\n"


def test_answers_by_exit_code(dokku: Host) -> None:
    dokku.listener("a", "on", "#!/bin/sh\nexit 0\n")
    dokku.listener("a", "off", "#!/bin/sh\nexit 1\n")
    assert (triggers.succeeds("on"), triggers.succeeds("off")) == (True, False)


def test_questions_are_asked_at_the_same_time() -> None:
    """Each answer waits for all others to be asked: one after the other would never end."""
    meeting = threading.Barrier(5, timeout=30)

    def answer(number: int) -> int:
        meeting.wait()
        return number

    questions = [lambda number=number: answer(number) for number in range(5)]
    assert triggers.together(questions) == [0, 1, 2, 3, 4]


def test_the_first_error_in_order_is_raised_after_all_have_ended() -> None:
    first_may_fail = threading.Event()
    ended = []

    def early() -> None:
        first_may_fail.wait(30)
        ended.append("early")
        raise PluginError("first")

    def late() -> None:
        first_may_fail.set()
        ended.append("late")
        raise PluginError("second")

    with pytest.raises(PluginError, match="first"):
        triggers.together([early, late])
    assert sorted(ended) == ["early", "late"]


CANCELLED = """
from scheduler_k3s.dokku import triggers
from scheduler_k3s.errors import Cancelled
from scheduler_k3s.operations.signals import cancellable
try:
    with cancellable("cancelled"):
        {}
except Cancelled as error:
    print(error.message)
"""
LIB = str(Path(__file__).parents[3] / "lib")


@pytest.mark.parametrize(
    "words", ["triggers.together([lambda: triggers.ask('color')] * 2)", "triggers.fire('color')"]
)
def test_a_signal_ends_what_is_asked_and_all_that_it_has_started(dokku: Host, words: str) -> None:
    """The listener's own child holds the fifo open: it is read to its end only when that has ended too."""
    fifo = dokku.lib / "fifo"
    os.mkfifo(fifo)
    path = dokku.listener("a", "color", f"#!/bin/sh\nexec 3>{fifo}\necho asked >&3\nsleep 600\n")
    plugn = dokku.lib / "bin/plugn"
    plugn.parent.mkdir()
    plugn.write_text(f"#!/bin/sh\n{path}; exit\n")
    plugn.chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": LIB, "PATH": f"{plugn.parent}:{os.environ['PATH']}"}
    argv = [sys.executable, "-c", CANCELLED.format(words)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, text=True) as child:
        with fifo.open("rb") as pipe:
            assert pipe.readline() == b"asked\n"
            child.send_signal(signal.SIGINT)
            pipe.read()
        assert child.communicate(timeout=30)[0] == "cancelled\n"
