"""The pieces of which reports are made."""

import json

import pytest
from scheduler_k3s import reports
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


def test_a_blank_always_stands_between_label_and_value(capsys: pytest.CaptureFixture[str]) -> None:
    reports.fields("x information", [("Short:", "1"), ("L" * 30 + ":", "2"), ("L" * 40 + ":", "3")])
    assert capsys.readouterr().out.splitlines() == [
        "=====> x information",
        "       Short:" + " " * 36 + "1",
        "       " + "L" * 30 + ":" + " " * 11 + "2",
        "       " + "L" * 40 + ": 3",
    ]


def test_quiet_silences_the_headline_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")
    reports.fields("x information", [("a:", "1")], 4)
    assert capsys.readouterr().out == "       a:  1\n"


def test_json_is_one_compact_line(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"b": "x\ny", "a": "ü\udcff", "B": "1"}
    reports.as_json(value)
    text = capsys.readouterr().out
    assert text.count("\n") == 1
    assert " " not in text
    assert json.loads(text) == value
    assert [key for key, _ in json.loads(text, object_pairs_hook=list)] == ["B", "a", "b"]


def test_a_table_has_columns_as_wide_as_their_longest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    reports.table(["name", "ready", "version"], [["a-long-name", "true", " v1 "], ["b", "false", "v1.34"]])
    assert capsys.readouterr().out.splitlines() == [
        "name         ready  version",
        "a-long-name  true   v1",
        "b            false  v1.34",
    ]


def test_a_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    reports.table(["name", "role"], [])
    assert capsys.readouterr().out == "name  role\n"


def test_an_answer_is_bare_and_an_unknown_flag_names_the_valid_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reports.answer("--b", {"--b": "", "--a": "1"})
    assert capsys.readouterr().out == "\n"
    with pytest.raises(PluginError, match=r"^Invalid flag passed, valid flags: --a, --b$"):
        reports.answer("--c", {"--b": "", "--a": "1"})
    with pytest.raises(PluginError, match=r"^Invalid flag passed, valid flags: $"):
        reports.answer("--c", {})


def test_no_scope_means_every_app_in_order(dokku: Host) -> None:
    for name in ("web", "api", "TLS", ".ssh"):
        dokku.app(name)
    shown: list[str] = []
    reports.each("", shown.append)
    assert shown == ["api", "web"]


def test_without_apps_there_is_a_warning_and_no_failure(
    dokku: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    reports.each("", shown.append)
    assert shown == []
    assert capsys.readouterr().err == " !     You haven't deployed any applications yet\n"


def test_apps_that_this_user_may_not_see_do_not_exist(dokku: Host) -> None:
    dokku.app("mine")
    dokku.app("theirs")
    dokku.listener(
        "acl", "user-auth-app", '#!/bin/sh\nfor a in "$@"; do [ $a = mine ] && echo $a; done; exit 0\n'
    )
    shown: list[str] = []
    reports.each("", shown.append)
    assert shown == ["mine"]
    with pytest.raises(PluginError, match=r"^App theirs does not exist$") as raised:
        reports.each("theirs", shown.append)
    assert raised.value.exit_code == 20


def test_a_report_of_all_apps_asks_once_who_may_see_them(
    dokku: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        dokku.app(name)
    calls = dokku.root / "calls"
    dokku.listener("acl", "user-auth-app", f'#!/bin/sh\necho "$@" >>{calls}\nshift 2\nprintf "%s\\n" "$@"\n')
    monkeypatch.setenv("SSH_USER", "root")
    monkeypatch.setenv("SSH_NAME", "admin")
    seen: list[str] = []
    reports.each("", seen.append)
    assert seen == ["a", "b", "c"]
    assert calls.read_text() == "root admin a b c\n"
