"""Durations and booleans are Go's; the expected numbers are computed the other way round, from the parts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import values
from scheduler_k3s.errors import PluginError

UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
GO = re.compile(r"\+?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
parts = st.lists(st.tuples(st.integers(0, 9999), st.sampled_from(sorted(UNITS))), min_size=1, max_size=5)


@given(parts)
def test_a_duration_is_the_sum_of_its_parts(pieces: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in pieces)
    nanoseconds = sum(number * UNITS[unit] for number, unit in pieces)
    if nanoseconds:
        assert values.seconds(text) == pytest.approx(nanoseconds / 1e9)
    else:
        with pytest.raises(PluginError, match="longer than 0"):
            values.seconds(text)


@given(st.integers(1, 2**33))
def test_digits_alone_are_seconds(number: int) -> None:
    assert values.seconds(str(number)) == number


@given(st.text(alphabet="0123456789.+-nuµmsh e٣", max_size=12))
def test_nothing_but_go_s_grammar_is_a_duration(text: str) -> None:
    if not GO.fullmatch(text) and not re.fullmatch("[0-9]+", text):
        with pytest.raises(PluginError, match="Invalid duration"):
            values.seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("5m30s", 330), ("1.5h", 5400), (".5s", 0.5), ("300", 300), ("+2m", 120)]
)
def test_durations(text: str, expected: float) -> None:
    assert values.seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5s", "s", "5 s", "5S", "1d", "5m30", "9" * 400, "3000000h", "inf", "nan"]
)
def test_what_is_no_time_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PluginError, match="for example 300, 90s or 5m30s"):
        values.seconds(text)


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_true(text: str) -> None:
    assert values.boolean(text) is True


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_false(text: str) -> None:
    assert values.boolean(text) is False


@pytest.mark.parametrize("text", ["", "yes", "on", "tRUE", " true", "2"])
def test_other_words_are_no_boolean(text: str) -> None:
    with pytest.raises(PluginError, match="Invalid boolean"):
        values.boolean(text)


LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


@given(st.text(alphabet="abz09-.A_\n", max_size=70))
def test_names_follow_rfc_1123(text: str) -> None:
    assert values.is_label(text) == (len(text) <= 63 and LABEL.fullmatch(text) is not None)
    assert values.is_subdomain(text) == all(LABEL.fullmatch(part) for part in text.split("."))


def test_the_limits_of_names() -> None:
    assert values.is_label("a" * 63)
    assert not values.is_label("a" * 64)
    assert values.is_subdomain("a" * 253)
    assert not values.is_subdomain("a" * 254)
