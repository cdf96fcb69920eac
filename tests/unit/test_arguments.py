"""The flag parser, through the commands whose table entries have each kind of flag."""

import csv
import io
import sys

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduler_k3s import arguments
from scheduler_k3s.arguments import Arguments
from scheduler_k3s.errors import PluginError
from scheduler_k3s.synopses import COMMANDS


@pytest.fixture(autouse=True)
def no_app_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOKKU_APP_NAME", raising=False)


def parse(name: str, *words: str) -> Arguments:
    before = sys.argv
    sys.argv = ["subcommand", f"scheduler-k3s:{name}", *words]
    try:
        return arguments.parse_report(name) if name in ("report", "charts:report") else arguments.parse(name)
    finally:
        sys.argv = before


def refusal(name: str, *words: str) -> str:
    with pytest.raises(PluginError) as raised:
        parse(name, *words)
    assert raised.value.exit_code == 2
    return raised.value.message


def test_flags_and_words_mix_in_any_order() -> None:
    for words in (
        ["app", "a.b/c", "v", "--resource-type", "pod", "--process-type=web"],
        ["--resource-type=pod", "app", "--process-type", "web", "a.b/c", "v"],
    ):
        said = parse("annotations:set", *words)
        assert (said.scope, said.words) == ("app", ["a.b/c", "v"])
        assert (said.text("resource-type"), said.text("process-type")) == ("pod", "web")


def test_global_shifts_the_words() -> None:
    said = parse("set", "--global", "namespace", "x")
    assert (said.scope, said.word(0), said.word(1)) == ("--global", "namespace", "x")
    assert parse("set", "app", "namespace", "--global=false").scope == "app"


def test_words_that_are_not_there_are_empty() -> None:
    said = parse("set")
    assert (said.scope, said.word(0), said.word(1)) == ("", "", "")


def test_two_dashes_end_the_flags() -> None:
    assert parse("set", "app", "--", "--global", "--help").words == ["--global", "--help"]


def test_a_negative_number_is_a_word_and_a_single_dash_too() -> None:
    assert parse("set", "app", "x", "-1").word(1) == "-1"
    assert parse("set", "app", "x", "-").word(1) == "-"


def test_the_last_of_a_repeated_flag_counts() -> None:
    said = parse("preview", "app", "--context", "1", "--context=-2", "--all", "--all=false")
    assert said.number("context") == -2
    assert not said.on("all")


def test_defaults_and_given() -> None:
    said = parse("cluster:add", "ssh://host")
    assert said.text("role") == "worker"
    assert not said.given("role")
    assert not said.on("taint-scheduling")
    assert said.items("kubelet-args") == []
    assert parse("cluster:add", "--role", "worker", "ssh://host").given("role")


def test_lists_are_repeatable_and_csv() -> None:
    said = parse("cluster:add", "--kubelet-args", "a=1,b=2", '--kubelet-args="c=3,4",d=5', "ssh://host")
    assert said.items("kubelet-args") == ["a=1", "b=2", "c=3,4", "d=5"]


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_categories=["C", "Z"]) | st.sampled_from('," '), min_size=1),
        min_size=1,
    )
)
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_survives_csv_quoting(items: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="", quoting=csv.QUOTE_ALL).writerow(items)
    assert parse("ensure-charts", f"--charts={text.getvalue()}").items("charts") == items


def test_broken_csv_is_refused() -> None:
    assert refusal("ensure-charts", '--charts="a"b').startswith(
        'invalid argument ""a"b" for "--charts" flag: '
    )


def test_maps() -> None:
    one = parse(
        "autoscaling-auth:set", "app", "cron", "--metadata", "a=1", '--metadata="b=2,3"', "--metadata", "a=4"
    )
    assert one.pairs("metadata") == {"a": "4", "b": "2,3"}
    several = parse("autoscaling-auth:set", "app", "cron", "--metadata", 'a=1,b=2=3,"c=4,5"')
    assert several.pairs("metadata") == {"a": "1", "b": "2=3", "c": "4,5"}
    assert parse("autoscaling-auth:set", "app", "cron").pairs("metadata") == {}


@pytest.mark.parametrize("text", ["plain", "a=1,b,c=2"])
def test_a_map_needs_pairs(text: str) -> None:
    message = refusal("autoscaling-auth:set", "app", "cron", "--metadata", text)
    assert message.startswith(f'invalid argument "{text}" for "--metadata" flag: ')
    assert "must be formatted as key=value" in message


@given(
    st.dictionaries(st.text("abc.-/", min_size=1), st.text("xyz \"'\n\\", max_size=9), min_size=1, max_size=1)
)
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_single_pair_is_taken_whole(pair: dict[str, str]) -> None:
    ((key, value),) = pair.items()
    found = parse("autoscaling-auth:set", "app", "cron", "--metadata", f"{key}={value}").pairs("metadata")
    assert found == {key: value.rstrip('"')}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--nonsense"], "unknown flag: --nonsense"),
        (["--globl"], "unknown flag: --globl, did you mean --global?"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["-xyz"], "unknown shorthand flag: 'x' in -xyz"),
        (["--=x"], "bad flag syntax: --=x"),
        (["---x"], "bad flag syntax: ---x"),
        (["--global=perhaps"], 'invalid argument "perhaps" for "--global" flag: must be true or false'),
        (["app", "a", "b", "surplus", "more"], "Unexpected argument: surplus"),
        (["--global", "a", "b", "surplus"], "Unexpected argument: surplus"),
        (["app", "a", "b", "global"], "Unexpected argument: global, did you mean --global?"),
    ],
)
def test_what_is_wrong_is_said_after_the_usage(
    words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal("set", *words) == expected
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: dokku scheduler-k3s:set <app|--global> <property> (<value>)\n")


def test_a_flag_without_its_value() -> None:
    assert refusal("preview", "app", "--format") == "flag needs an argument: --format"
    assert refusal("preview", "app", "--context", "many") == (
        'invalid argument "many" for "--context" flag: must be a whole number'
    )


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_prints_the_usage_on_stderr_and_ends_well(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse("preview", "app", word, "--nonsense")
    assert raised.value.code == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Usage: dokku scheduler-k3s:preview <app>" in shown.err
    assert "--context number" in shown.err
    assert "(default 3)" in shown.err


def test_info_flags_are_questions_not_flags() -> None:
    said = parse("annotations:report", "app", "--scheduler-k3s-annotations.web.pod.a=b", "--format", "json")
    assert said.info == ["--scheduler-k3s-annotations.web.pod.a=b"]
    assert (said.scope, said.text("format")) == ("app", "json")


def test_dokku_s_own_flags_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_APP_NAME", "web")
    said = parse("set", "namespace", "--quiet", "--app", "web", "--trace", "--force", "x")
    assert (said.scope, said.words) == ("web", ["namespace", "x"])
    assert parse("set", "namespace", "--app=web", "x").words == ["namespace", "x"]
    assert parse("report").scope == "web"


def test_force_stays_where_the_command_has_it() -> None:
    assert parse("uninstall", "--force").on("force")
    assert parse("show-kubeconfig", "--force").words == []


def test_words_after_two_dashes_are_never_dokku_s() -> None:
    assert parse("set", "app", "x", "--", "--quiet").words == ["x", "--quiet"]


def test_dokku_s_app_does_not_reach_commands_without_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_APP_NAME", "web")
    assert parse("profiles:remove", "small").words == ["small"]
    assert parse("set", "--global", "namespace", "x").scope == "--global"


def test_report_knows_two_flags_and_asks_with_the_others() -> None:
    said = parse("report", "app", "--format", "json", "--scheduler-k3s-namespace")
    assert (said.scope, said.text("format"), said.info) == ("app", "json", ["--scheduler-k3s-namespace"])
    assert parse("report", "--format=json", "app").info == ["--format=json"]
    assert parse("report", "app", "--help").info == ["--help"]
    assert parse("report", "app", "--global").scope == "--global"
    assert parse("report").text("format") == "stdout"
    assert refusal("report", "app", "other") == "Unexpected argument: other"
    assert refusal("report", "app", "--format") == "flag needs an argument: --format"


def test_charts_report_takes_a_chart_and_swallows_global() -> None:
    said = parse("charts:report", "--global", "traefik", "--scheduler-k3s-charts-traefik.a")
    assert (said.word(0), said.info) == ("traefik", ["--scheduler-k3s-charts-traefik.a"])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_flag_of_a_synopsis_is_in_the_table_and_the_other_way_round(name: str) -> None:
    command = COMMANDS[name]
    for flag in command.flags:
        assert f"--{flag.name}" in command.synopsis
    words = (
        command.synopsis.replace("[", " ")
        .replace("<", " ")
        .replace("|", " ")
        .replace("]", " ")
        .replace(">", " ")
    )
    mentioned = {word[2:] for word in words.split() if word.startswith("--")}
    assert mentioned == {flag.name for flag in command.flags}


@given(st.lists(st.text(max_size=8), max_size=5))
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_words_are_understood_or_refused(words: list[str]) -> None:
    try:
        said = parse("set", *words)
    except (PluginError, SystemExit):
        return
    assert len(said.words) <= 2
