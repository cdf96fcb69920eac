"""One assignment as helm's `--set` makes it; tests/cluster compares with helm itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import helm_set, system_values

NAMES = st.text(st.sampled_from("ab.,=[]\\/-{}"), min_size=1)
INDICES = st.integers(0, 65536)


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        ("a", ["a"]),
        ("a.b.c", ["a", "b", "c"]),
        (r"podAnnotations.prometheus\.io/port", ["podAnnotations", "prometheus.io/port"]),
        ("x[0]", ["x", 0]),
        ("x[10].y", ["x", 10, "y"]),
        ("x[0][1].y", ["x", 0, 1, "y"]),
        (r"a\[0]", ["a[0]"]),
        ("a=b,c", ["a=b,c"]),
    ],
)
def test_keys(key: str, steps: list[str | int]) -> None:
    assert helm_set.path(key) == steps


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (".a", "empty part"),
        ("a..b", "empty part"),
        ("a.", "ends too early"),
        ("a[0", "ends too early"),
        ("a[x]", "no index"),
        ("a[-1]", "no index"),
        ("a[65537]", "no index"),
        ("a[0]b", "must follow"),
        ("[0]", "empty part"),
        ("", "ends too early"),
    ],
)
def test_keys_that_are_none(key: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        helm_set.path(key)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("0", 0),
        ("12", 12),
        ("-12", -12),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", "9223372036854775808"),
        ("9" * 5000, "9" * 5000),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("1.5", "1.5"),
        ("on", "on"),
        ("~", "~"),
        ("2024-01-01", "2024-01-01"),
        ("", ""),
        ("a,b={c}\nd", "a,b={c}\nd"),
        (r"a\,b", "a,b"),
        (r"\{a}", "{a}"),
        ("{a,b}", ["a", "b"]),
        (r"{a\,b,1,true}", ["a,b", 1, True]),
        ("{}", [""]),
        ("{a,}", ["a", ""]),
        ("{", "{"),
        ("{{ x }}", "{{ x }}"),
        ("{a}b", "{a}b"),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = helm_set.value(text)
    assert (found, type(found)) == (value, type(value))


def test_assignments_go_into_what_is_there() -> None:
    tree: dict[str, Any] = {"a": {"b": 1, "c": 2}, "list": ["x", {"y": 1}]}
    for key, text in (
        ("a.b", "7"),
        ("a.d.e", "new"),
        ("list[1].z", "2"),
        ("list[3]", "late"),
        ("a.c", "null"),
    ):
        helm_set.assign(tree, key, text)
    assert tree == {
        "a": {"b": 7, "c": None, "d": {"e": "new"}},
        "list": ["x", {"y": 1, "z": 2}, None, "late"],
    }


@pytest.mark.parametrize(
    ("key", "kind"), [("a.b", "map"), ("a[0]", "list"), ("m[0]", "list"), ("l.x", "map")]
)
def test_a_value_is_not_silently_replaced_by_a_tree(key: str, kind: str) -> None:
    with pytest.raises(ValueError, match=f"holds a value already, not a {kind}"):
        helm_set.assign({"a": 1, "m": {}, "l": []}, key, "x")


@given(NAMES, st.lists(NAMES | INDICES))
def test_steps_are_read_back_from_their_key(first: str, others: list[str | int]) -> None:
    assert helm_set.path(helm_set.key([first, *others])) == [first, *others]


def test_whole_numbers_are_told_apart_with_helm_s_keys() -> None:
    overrides = {"a": "7", "b,c": "1048576", r"d\.e[0]": "-1", "text": "x", "truth": "true", "list": "{1,2}"}
    assert system_values.numbers(overrides) == {"a": 7, r"b\,c": 1048576, r"d\.e[0]": -1}
