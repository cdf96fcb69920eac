"""`scheduler-cron-write` as dokku calls it: after deploys, on suspend and resume, and when it destroys an app."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s import cron
from unit.api_server import Api, serve
from unit.dokku_host import Host

TRIGGER = Path(__file__).parents[3] / "triggers" / "scheduler-cron-write"
CRON_JOBS = "/apis/batch/v1/namespaces/default/cronjobs"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


def call(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [TRIGGER, "k3s", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def app_json(dokku: Host, *commands: str, **fields: Any) -> None:
    tasks = [{"command": command, "schedule": "@daily", **fields} for command in commands]
    path = dokku.lib / "data/app-json/demo/app.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"cron": tasks}))


def set_cron(dokku: Host, scope: str, name: str) -> None:
    path = dokku.lib / "config/cron" / scope / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("true")


def cron_job(command: str, suspend: bool, stopped: str = "", version: str = "100") -> dict[str, Any]:
    id_ = cron.task_id("demo", command, "@daily")
    annotations = {"app.kubernetes.io/version": version}
    if stopped:
        annotations["dokku.com/stopped"] = stopped
    return {
        "metadata": {
            "name": f"demo-cron-{command}",
            "labels": {"dokku.com/cron-hash": cron.task_hash(id_)},
            "annotations": annotations,
        },
        "spec": {"suspend": suspend},
    }


def patched(api: Api) -> list[tuple[str, bool]]:
    assert {method for method, _, _ in api.bodies} <= {"PATCH"}
    return sorted(
        (path.removeprefix(f"{CRON_JOBS}/"), body["spec"]["suspend"]) for _, path, body in api.bodies
    )


def test_only_what_differs_is_changed(api: Api, dokku: Host) -> None:
    app_json(dokku, "a", "b", "c")
    set_cron(dokku, "demo", f"maintenance.{cron.task_id('demo', 'a', '@daily')}")
    api.objects[CRON_JOBS] = [
        cron_job("a", False),
        cron_job("b", True),
        cron_job("c", False),
        cron_job("x", True),
    ]
    assert call("demo") == (0, "", "")
    assert patched(api) == [("demo-cron-a", True), ("demo-cron-b", False)]


@pytest.mark.parametrize("scope", ["demo", "--global"])
def test_maintenance_of_the_app_and_of_all_apps(api: Api, dokku: Host, scope: str) -> None:
    app_json(dokku, "a", "b")
    set_cron(dokku, scope, "maintenance")
    api.objects[CRON_JOBS] = [cron_job("a", False), cron_job("b", True)]
    assert call("demo") == (0, "", "")
    assert patched(api) == [("demo-cron-a", True)]


def test_a_stopped_app_stays_stopped_until_it_is_deployed(api: Api, dokku: Host) -> None:
    app_json(dokku, "a", "b")
    api.objects[CRON_JOBS] = [cron_job("a", True, stopped="100"), cron_job("b", True, stopped="90")]
    assert call("demo") == (0, "", "")
    assert patched(api) == [("demo-cron-b", False)]


def test_many_tasks_are_one_question_and_a_change_each(api: Api, dokku: Host) -> None:
    commands = [f"c{number}" for number in range(60)]
    app_json(dokku, *commands, maintenance=True)
    api.objects[CRON_JOBS] = [cron_job(command, False) for command in commands]
    assert call("demo") == (0, "", "")
    assert len(patched(api)) == 60
    assert len(api.requests) == 61


@pytest.mark.parametrize("words", [("",), ()])
def test_without_an_app_there_is_nothing_to_do(api: Api, words: tuple[str, ...]) -> None:
    assert call(*words) == (0, "", "")
    assert api.requests == []


def test_an_app_without_tasks_asks_nobody(api: Api) -> None:
    assert call("demo") == (0, "", "")
    assert api.requests == []


def test_nothing_deployed_is_fine(api: Api, dokku: Host) -> None:
    app_json(dokku, "a")
    api.objects[CRON_JOBS] = []
    assert call("demo") == (0, "", "")


@pytest.mark.parametrize("kubeconfig", ["/nonexistent", "closed port"])
def test_a_cluster_that_is_away_is_said_and_no_failure(dokku: Host, tmp_path: Path, kubeconfig: str) -> None:
    if kubeconfig == "closed port":
        with serve() as served:
            kubeconfig = str(served.kubeconfig(tmp_path))
    dokku.store("--global", "kubeconfig-path", kubeconfig)
    app_json(dokku, "a")
    code, output, errors = call("demo")
    assert (code, output) == (0, "")
    assert errors.startswith(" !     The cron tasks of demo are as they were until its next deploy: ")


def test_a_file_that_cannot_be_read_does_not_keep_dokku_from_destroying_the_app(
    api: Api, dokku: Host
) -> None:
    app_json(dokku)
    (dokku.lib / "data/app-json/demo/app.json").write_text("{")
    code, _, errors = call("demo")
    assert code == 0
    assert "app.json of demo" in errors
