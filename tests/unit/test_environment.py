"""What a pod's environment can hold, to the byte, and that a refusal shows no value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import environment
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

LIMIT = 131_071
MIB = 1024 * 1024


def refusal(**config: str) -> str:
    return refused({key: Secret(value) for key, value in config.items()})


def refused(config: dict[str, Secret]) -> str:
    with pytest.raises(PluginError) as raised:
        environment.check("shop", config)
    return raised.value.message


@pytest.mark.parametrize(
    "name", ["1X", "", "a b", "A=B", "ü", "a/b", ".", "..", "..a", "a\n", "x" * 254, "$(id)"]
)
def test_a_name_that_no_pod_can_take_is_named(name: str) -> None:
    told = refused({"GOOD": Secret("x"), name: Secret("hush-hush")})
    assert repr(name) in told
    assert "GOOD" not in told
    assert "hush" not in told
    assert "dokku config:unset shop" in told


@pytest.mark.parametrize("name", ["A", "_", "a.b", "a-b", "-", ".a", "A1", "x" * 253])
def test_names_that_kubernetes_takes(name: str) -> None:
    environment.check("shop", {name: Secret("x")})


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600"])
def test_the_limit_counts_bytes_and_the_name(letter: str) -> None:
    room = LIMIT - len("KEY=")
    fitting = letter * (room // len(letter.encode()))
    fitting += "x" * (room - len(fitting.encode()))
    environment.check("shop", {"KEY": Secret(fitting)})
    told = refusal(KEY=f"{fitting}x")
    assert f"KEY of shop is too large: {LIMIT + 1} bytes" in told
    assert fitting[:50] not in told


def test_all_values_together_fit_one_secret() -> None:
    values = {f"K{n}": "x" * 131_000 for n in range(8)}
    environment.check("shop", {key: Secret(value) for key, value in values.items()})
    rest = MIB - 8 * 131_000
    environment.check("shop", {key: Secret(v) for key, v in {**values, "REST": "x" * rest}.items()})
    told = refusal(**values, REST="x" * rest, LAST="y")
    assert f"{MIB + 1} bytes" in told
    assert "K0 (131003 bytes), K1 (131003 bytes), K2 (131003 bytes)" in told
    assert "xxx" not in told


def test_bytes_that_are_no_text_are_refused_by_name() -> None:
    text = b"caf\xe9-hush".decode("utf-8", "surrogateescape")
    told = refusal(KEY=text)
    assert "KEY of shop is not UTF-8" in told
    assert "hush" not in told
    assert "KEY of shop holds a NUL byte" in refusal(KEY="a\0b")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_other_text_is_welcome(value: str) -> None:
    environment.check("shop", {"KEY": Secret(value)})
