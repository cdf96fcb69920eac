"""The fast reader of kubeconfigs says exactly what YAML says, or nothing."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import plainyaml

K3S = """\
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJU
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: LS0tLS1CRUdJTiBDRVJU
    client-key-data: LS0tLS1CRUdJTiBFQyBQUkl
"""

WORDS = st.sampled_from(
    [
        "a",
        "b-c",
        "https://x:1",
        "key: x",
        "x #y",
        "1e3",
        "yes",
        "null",
        "~",
        "{}",
        "[]",
        "''",
        '"q"',
        "- z",
        "x:",
        "|",
        "é",
    ]
)
LINES = st.builds(
    lambda indent, dash, key, word: " " * indent + dash + key + word,
    st.integers(0, 5),
    st.sampled_from(["", "", "- ", "-", "-   "]),
    st.sampled_from(["", "k: ", "k:", "l: ", "m :", "n:\t"]),
    st.one_of(st.just(""), WORDS),
)


def test_what_k3s_writes_is_read() -> None:
    assert plainyaml.parse(K3S) == yaml.safe_load(K3S)


def test_comments_and_a_document_mark_are_passed_over() -> None:
    assert plainyaml.parse("# made by a tool\n---\n\na: b\n# end\nc:\n- d\n") == {"a": "b", "c": ["d"]}


@pytest.mark.parametrize(
    "text", ["a: b\n  c", "a: 'b'", "a: 1", "a: &x b", "a: |\n  b", "a: b\na: c", "\ta: b", "", "a"]
)
def test_the_rest_is_left_to_yaml(text: str) -> None:
    with pytest.raises(plainyaml.NotPlain):
        plainyaml.parse(text)


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_what_is_read_at_all_is_read_as_yaml_reads_it(text: str) -> None:
    try:
        value = plainyaml.parse(text)
    except plainyaml.NotPlain:
        return
    assert value == yaml.safe_load(text)


@given(
    st.recursive(
        st.from_regex(r"[a-zA-Z][a-zA-Z0-9./:=-]{0,20}", fullmatch=True),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, min_size=1, max_size=3)
        ),
        max_leaves=10,
    )
)
def test_what_is_read_of_a_tools_output_is_what_the_tool_wrote(value: object) -> None:
    try:
        assert plainyaml.parse(yaml.safe_dump(value)) == value
    except plainyaml.NotPlain:
        return
