"""Asking listeners: plugn's order, joined answers, the first failure, and several questions at once."""

import threading

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
