"""JSON with comments: comments and trailing commas vanish, everything else is JSON, errors keep their place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import jsonc
from scheduler_k3s.errors import PluginError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1} // end', {"a": 1}),
        ('// first\n{"a": /* one */ 1, /* "b": 2,\n */ "c": 3}', {"a": 1, "c": 3}),
        ('{"a": [1, 2,], "b": {"c": 1,},}', {"a": [1, 2], "b": {"c": 1}}),
        ('{"a": 1, // last\n}', {"a": 1}),
        ("[1 /* x */ , /* y */ ]", [1]),
        ('{"a": "http://x/*y*/,]"}', {"a": "http://x/*y*/,]"}),
        (r'["\"//", "\\", "/*\"*/", ",}"]', ['"//', "\\", '/*"*/', ",}"]),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ("/**/[]/***/", []),
        ('"x"//"y"', "x"),
        ("\ufeff{}", {}),
        ("[1,2]\r\n// x\r\n", [1, 2]),
    ],
)
def test_loads(text: str, value: object) -> None:
    assert jsonc.loads(text) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column 1"),
        ("// nothing", "line 1, column 11"),
        ('{\n  "a": 1 // x\n  "b": 2\n}', "line 3, column 3"),
        ('{"a": /* one\ntwo */ ?}', "line 2, column 8"),
        ("{} /* open", "line 1, column 4"),
        ("{}\n /*/", "line 2, column 2"),
        ('{"a": "open // x\n}', "line 1, column"),
        ("[,]", "line 1, column 2"),
        ("[1,,]", "line 1, column 4"),
        ("{,}", "line 1, column 2"),
        ('{"a":,}', "line 1, column 6"),
        ("{} {}", "line 1, column 4"),
        ("[1 / 2]", "line 1, column 4"),
        ("# x\n{}", "line 1, column 1"),
        ("{'a': 1}", "line 1, column 2"),
    ],
)
def test_errors_tell_the_place(text: str, place: str) -> None:
    with pytest.raises(PluginError) as caught:
        jsonc.loads(text)
    assert caught.value.message.startswith(place)


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "[" * 100_000, "1" * 5000])
def test_what_no_other_json_reader_takes_is_refused(text: str) -> None:
    with pytest.raises(PluginError):
        jsonc.loads(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.text('",]}/*\\ \n'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('a"/*,', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
COMMENT = st.sampled_from(["", " ", '// a, ]} "\n', '/* b // " */', "/* ,\n] */", "\n"])


@given(JSON)
def test_plain_json_is_left_as_it_is(value: object) -> None:
    assert jsonc.loads(json.dumps(value)) == value
    assert jsonc.loads(json.dumps(value, indent=1, ensure_ascii=False)) == value


def commented(value: Any, draw: Any) -> str:
    """`value` written with comments between all tokens and with commas at the end."""
    if isinstance(value, list):
        items = [commented(item, draw) for item in value]
    elif isinstance(value, dict):
        items = [f"{json.dumps(key)}{draw(COMMENT)}:{commented(item, draw)}" for key, item in value.items()]
    else:
        return f"{draw(COMMENT)}{json.dumps(value)}{draw(COMMENT)}"
    end = draw(st.sampled_from(["", ","])) if items else ""
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return f"{opening}{draw(COMMENT)}{','.join(items)}{draw(COMMENT)}{end}{draw(COMMENT)}{closing}{draw(COMMENT)}"


@given(JSON, st.data())
def test_comments_and_trailing_commas_change_nothing(value: object, data: st.DataObject) -> None:
    assert jsonc.loads(commented(value, data.draw)) == value


@given(st.text() | st.text('{}[],:"/*\\ \n1a', max_size=20))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    try:
        jsonc.loads(text)
    except PluginError as error:
        assert error.message
