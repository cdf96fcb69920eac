"""Words of a command. bash itself is the judge of generated commands; the rest is written by hand."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scheduler_k3s.words import WordError, expand, split

BASH = shutil.which("bash") or "/bin/bash"
VARIABLES = {
    "HOME": "/home/app",
    "WORD": "word",
    "SPACED": "  two  words ",
    "EMPTY": "",
    "LINES": "a\nb\n",
    "GLOB": "a*b?[c]",
    "N": "12",
    "ZERO": "0",
    "SUM": "N + 3",
    "PATHS": "/usr/lib/node.js:/tmp",
    "ACCENT": "äöü €",
    "SLASH": "a\\b\\*",
}

Words = Callable[[str], list[str]]
BOTH = pytest.mark.parametrize(
    "words", [lambda text: expand(text, VARIABLES), split], ids=["expand", "split"]
)


def bash(text: str) -> list[str] | None:
    """What bash passes to a program for these words; None where bash finds an error."""
    script = f"shopt -u patsub_replacement 2>/dev/null; set -f; printf '%s\\0' start {text}\n"
    done = subprocess.run(
        [BASH, "-c", script],
        env=VARIABLES | {"LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
        timeout=30,
    )
    if done.returncode or done.stderr:
        return None
    return done.stdout.decode().split("\0")[1:-1]


def ours(text: str) -> list[str] | None:
    try:
        return expand(text, VARIABLES)
    except WordError:
        return None


NAMES = st.sampled_from([*VARIABLES, "UNKNOWN"])
LETTERS = st.text("abAB01.-/:=~*?[]^@%+", max_size=4)
ODD = st.sampled_from(
    ["\\ ", "\\$", '\\"', "\\'", "\\\\", "\\a", "x#", "%", "!", "é", "~", "~/x", " \\\nb", "$"]
)
SINGLE = st.text('ab $"\\`{},*\n&|;', max_size=5).map(lambda s: f"'{s}'")
ANSI = st.lists(
    st.sampled_from(["a", "\\n", "\\t", "\\'", "\\x41", "\\101", "\\u20ac", "\\\\", " ", '"']), max_size=3
).map(lambda parts: "$'" + "".join(parts) + "'")
PLAIN_PATTERN = st.text("abw/.*?", min_size=1, max_size=3)
PATTERN = st.one_of(
    PLAIN_PATTERN,
    st.sampled_from(["[ab]", "[!a]", "[[:alpha:]]", "'*'", '"a*"', "\\*", "$GLOB", '"$GLOB"', "*/"]),
)


def parameter(word: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pattern = PATTERN.filter(lambda p: "/" not in p)
    body = st.one_of(
        NAMES,
        NAMES.map(lambda n: "#" + n),
        st.builds("{}{}{}".format, NAMES, st.sampled_from([":-", "-", ":+", "+"]), word),
        st.builds(
            "{}{}{}".format, NAMES, st.sampled_from(["%", "%%", "#", "##", "^", "^^", ",", ",,"]), PATTERN
        ),
        st.builds(
            "{}{}{}/{}".format,
            NAMES,
            st.sampled_from(["/", "//", "/#", "/%"]),
            pattern,
            st.sampled_from(["", "x", "y z", "$WORD"]),
        ),
        st.builds(
            "{}:{}".format, NAMES, st.sampled_from(["1", " -2", "0:2", "1:-1", "N-11:ZERO+2", "", "(1):1"])
        ),
    )
    return body.map(lambda b: "${" + b + "}")


ARITHMETIC = st.recursive(
    st.sampled_from(["1", "2", "07", "0x1f", "2#101", "N", "$N", "${N}", "SUM", "UNKNOWN", "ZERO"]),
    lambda inner: st.one_of(
        st.builds(
            "{} {} {}".format,
            inner,
            st.sampled_from(
                ["+", "-", "*", "/", "%", "<<", ">>", "<", "<=", "==", "!=", "&", "|", "^", "&&", "||", ","]
            ),
            inner,
        ),
        st.builds("({})".format, inner),
        st.builds("{} ** {}".format, inner, st.sampled_from(["0", "3", "62", "ZERO"])),
        st.builds("{} {}".format, st.sampled_from(["-", "!", "~", "+"]), inner),
        st.builds("{} ? {} : {}".format, inner, inner, inner),
    ),
    max_leaves=5,
)
SIMPLE = st.one_of(LETTERS, ODD.filter(lambda o: o != "$"), SINGLE, NAMES.map(lambda n: "$" + n), ANSI)
OPERAND = st.lists(st.one_of(SIMPLE, st.just(" "), st.just('"q  r"')), max_size=3).map("".join)
DOUBLE = st.lists(
    st.one_of(
        st.text("ab '{},*#&;|~", max_size=4),
        NAMES.map(lambda n: "$" + n),
        parameter(st.text("ab *", max_size=3)),
        st.sampled_from(["\\$", '\\"', "\\\\", "\\a", "$(( N + 1 ))"]),
    ),
    max_size=4,
).map(lambda parts: '"' + "".join(parts) + '"')
ELEMENT = st.one_of(SIMPLE, DOUBLE, parameter(OPERAND), ARITHMETIC.map(lambda a: f"$(({a}))"))
BRACED = st.recursive(
    ELEMENT,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: "{" + ",".join(parts) + "}"),
        st.sampled_from(
            [
                "{1..3}",
                "{3..1}",
                "{a..c}",
                "{01..3}",
                "{1..9..4}",
                "{a..1}",
                "{}",
                "{a",
                "b}",
                "{1..",
                "{-1..1}",
            ]
        ),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=6,
)
COMMENT = st.sampled_from(["", " # not 'closed", "\n# a line; of $(its own)\n"])
COMMAND = st.builds(
    "{}{}".format,
    st.lists(BRACED | st.sampled_from(["A=~", "A=~/x:~:b"]), min_size=1, max_size=4).map(" ".join),
    COMMENT,
).filter(lambda command: not re.search("~[+0-9-]", command))  # bash's own working directories


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(COMMAND)
@example("node server.js --port \"$N\" 'a b'  # comment")
@example("{}{a,b} {},a} {a},b} {a,{b} x{a,}y")
@example('"$@" "a$@" ""$@')
@example("${EMPTY/*/r} ${UNKNOWN/*/r} ${WORD//*/r}")
@example("${UNKNOWN:=a  b} $UNKNOWN")
def test_words_are_those_of_bash(command: str) -> None:
    assert ours(command) == bash(command)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("npm start", ["npm", "start"]),
        ("gunicorn -b 0.0.0.0:$PORT 'my app:app'", ["gunicorn", "-b", "0.0.0.0:5000", "my app:app"]),
        ("java $JAVA_OPTS -jar app.jar", ["java", "-Xmx1g", "-Dx=y", "-jar", "app.jar"]),
        ('java "$JAVA_OPTS"', ["java", "-Xmx1g -Dx=y"]),
        ("serve *.html ? [ab]", ["serve", "*.html", "?", "[ab]"]),
        ("run # the comment", ["run"]),
        ("run a#b '#c'", ["run", "a#b", "#c"]),
        ("\n  # first a comment\nrun\n\n", ["run"]),
        ("run \\\n  --fast", ["run", "--fast"]),
        ("run '' \"\"", ["run", "", ""]),
        ("run $MISSING ${MISSING}", ["run"]),
        ('run "$MISSING"', ["run", ""]),
        ("run 60 true 'a: b' %s - x 1e3 007", ["run", "60", "true", "a: b", "%s", "-", "x", "1e3", "007"]),
        ("run --workers ${WORKERS:-$((CPUS * 2 + 1))}", ["run", "--workers", "9"]),
        ("run worker-{1..3}", ["run", "worker-1", "worker-2", "worker-3"]),
        ("run ~/bin ~other", ["run", "/root/bin", "~other"]),
        ("run $'tab\\there'", ["run", "tab\there"]),
        ("run '$PORT' \\$PORT", ["run", "$PORT", "$PORT"]),
        ("run ${DATE:0:4} ${DATE#*-} ${DATE//-/.}", ["run", "2024", "01-02", "2024.01.02"]),
        ("A=1 env ${A:=5} $A", ["A=1", "env", "5", "5"]),
        ("", []),
        (" # nothing", []),
    ],
)
def test_expand(command: str, words: list[str]) -> None:
    variables = {
        "PORT": "5000",
        "JAVA_OPTS": "-Xmx1g -Dx=y",
        "CPUS": "4",
        "HOME": "/root",
        "DATE": "2024-01-02",
    }
    assert expand(command, variables) == words


def test_tilde_stays_without_home() -> None:
    assert expand("~ ~/x", {}) == ["~", "~/x"]


def test_variables_of_the_caller_stay_as_they_are() -> None:
    variables: dict[str, str] = {}
    expand("${A:=1}", variables)
    assert variables == {}


@pytest.mark.parametrize(
    ("command", "place_and_piece"),
    [
        ("echo && b", "1:6: && is"),
        ("a | b", "1:3: | is"),
        ("a||b", "1:2: || is"),
        ("a; b", "1:2: ; is"),
        ("a &", "1:3: & is"),
        ("a > log", "1:3: > is"),
        ("a 2>&1", "1:4: >& is"),
        ("a < in", "1:3: < is"),
        ("(a)", "1:1: ( is"),
        ("echo `date`", "1:6: `date` is"),
        ("echo $(date +%s) x", "1:6: $(date +%s) is"),
        ("a \\\n  | b", "2:3: | is"),
        ("a\nb", "1:2: \\n is"),
        ("echo 'a b", "1:6: 'a b is"),
        ('echo "a b', '1:6: "a b is'),
        ("echo $'a", "1:6: $'a is"),
    ],
)
@BOTH
def test_what_needs_a_shell_is_refused_with_place_and_command(
    words: Words, command: str, place_and_piece: str
) -> None:
    with pytest.raises(WordError) as caught:
        words(command)
    assert caught.value.message.startswith(f"{place_and_piece} not a valid word")
    assert command.replace("\n", "\\n") in caught.value.message


@pytest.mark.parametrize(
    ("command", "place_and_piece"),
    [
        ('x "`date`"', "1:4: `date` is"),
        ('x "$(date)"', "1:4: $(date) is"),
        ("x ${A:-$(date)}", "1:8: $(date) is"),
        ("x $((1 + $(date)))", "1:10: $(date) is"),
        ("x ${A", "1:3: ${A is"),
        ("x ${A:?needed}", "1:3: ${A:?needed} is"),
        ("x ${A B}", "1:3: ${A B} is"),
        ("x ${A@Q}", "1:3: ${A@Q} is"),
        ("x ${!A}", "1:3: ${!A} is"),
        ("x $((1 / 0))", "1:6: 1 / 0 is"),
        ("x $((A++))", "1:6: A++ is"),
        ("x $((1 +))", "1:6: 1 + is"),
        ("x $[1]", "1:3: $[ is"),
        ("x a{1..99999}", "1:4: {1..99999} is"),
        ("x $'\\xff'", "1:3: $'\\xff' is"),
        ("x " + "{a,b}" * 30, "1:3: {a,b}"),
        ("x $((" + "(" * 5000 + ")" * 5000 + "))", "1:3: "),
        ("x $((LOOP))", "1:6: LOOP is"),
    ],
)
def test_expand_refuses_what_it_cannot_know(command: str, place_and_piece: str) -> None:
    with pytest.raises(WordError) as caught:
        expand(command, {"LOOP": "LOOP"})
    assert caught.value.message.startswith(place_and_piece)
    assert "is not a valid word" in caught.value.message


@pytest.mark.parametrize(
    "command", ["$((SECRET / 0))", "$(($SECRET))", "${A:$SECRET}", "${A:?$SECRET}", "$(( $SECRET + `x` ))"]
)
def test_errors_hold_no_value(command: str) -> None:
    with pytest.raises(WordError) as caught:
        expand(command, {"SECRET": "hunter2 %"})
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("node cleanup.js", ["node", "cleanup.js"]),
        ("echo $X \"${X:-a b}\" '$X' \\$X", ["echo", "$X", "${X:-a b}", "$X", "$X"]),
        ("echo ${X:-a b}", ["echo", "${X:-a", "b}"]),
        ("echo {a,b} ~ * # gone", ["echo", "{a,b}", "~", "*"]),
        (
            'bash -c "date $(x) `y` \\"z\\" \\a"',
            ["bash", "-c", 'date $(x) `y` "z" \\a'],
        ),
        ("a\\ b 'c'\"d\"e '' $'\\n'", ["a b", "cde", "", "\n"]),
        ("a 2\\>\\&1", ["a", "2>&1"]),
        ("", []),
    ],
)
def test_split(command: str, words: list[str]) -> None:
    assert split(command) == words


WITHOUT_EXPANSION = st.lists(
    st.one_of(
        st.text("ab01.-/*?[]%!", max_size=4),
        SINGLE,
        ANSI,
        st.sampled_from(["\\ ", "\\$", '\\"', "\\#", "\\\n", " ", "\t", "x#", "\\`"]),
        st.lists(st.sampled_from([*"ab #|;&(){}~'\n", "\\$", '\\"', "\\`", "\\x", "\\\\"]), max_size=4).map(
            lambda parts: '"' + "".join(parts) + '"'
        ),
    ),
    max_size=6,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.builds("{}{}".format, WITHOUT_EXPANSION, COMMENT))
def test_split_is_bash_where_nothing_is_expanded(command: str) -> None:
    assert split(command) == bash(command)


@BOTH
@given(text=st.one_of(st.text(max_size=40), st.text(" \n$(){}[]'\"\\`#aX0:-+*/%,.~=?^!@", max_size=25)))
def test_any_text_is_words_or_refused(words: Words, text: str) -> None:
    try:
        assert all(isinstance(word, str) for word in words(text))
    except WordError as error:
        assert "is not a valid word" in error.message


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=4))
def test_quoted_words_come_back(words: list[str]) -> None:
    command = shlex.join(words)
    assert expand(command, VARIABLES) == words
    assert split(command) == words
