"""What a trace shows of a deploy's objects, and what it does not."""

import json

import pytest
from scheduler_k3s.manifests import objects
from scheduler_k3s.manifests.secret import config
from scheduler_k3s.operations import trace
from scheduler_k3s.secret import Secret
from unit.models import shop, web

KEY = {"KEY": Secret("hunter2"), "EMPTY": Secret("")}


def traced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], on: str) -> str:
    monkeypatch.setenv("DOKKU_TRACE", on)
    model = shop(web(args=("serve", "--token=hunter2", "60")), config=KEY)
    trace.show([config(model), *objects.build(model)], KEY)
    return capsys.readouterr().err


def test_every_object_without_what_is_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = traced(monkeypatch, capsys, "1")
    lines = text.splitlines()
    assert all(line.startswith(" ?     ") for line in lines)
    shown = "".join(line.removeprefix(" ?     ") for line in lines)
    secret, *rest = (json.loads("{" + part) for part in f"\n{shown}".replace("}{", "}\n{").split("\n{")[1:])
    assert secret["data"] == {"EMPTY": "***", "KEY": "***"}
    assert [item["kind"] for item in rest] == ["ServiceAccount", "Service", "Deployment"]
    (container,) = rest[-1]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["serve", "***", "60"]
    assert "hunter2" not in text


def test_without_a_trace_nothing_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert traced(monkeypatch, capsys, "") == ""
