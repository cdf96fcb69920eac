"""One-off processes listed, stopped and retired, against an API on loopback."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.api_server import Api, Pod, serve
from unit.dokku_host import Host

TRIGGERS = Path(__file__).parents[3] / "triggers"
JOBS = "/apis/batch/v1/namespaces/default/jobs"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


def trigger(name: str, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(TRIGGERS / name), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode, done.stdout, done.stderr


def deleted(api: Api) -> list[str]:
    return [path for method, path, _ in api.requests if method == "DELETE"]


def job(suffix: str, age: float, limit: int, **status: str) -> dict[str, Any]:
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
    metadata = {"name": f"demo-run-{suffix}", "annotations": {"dokku.com/job-suffix": suffix}}
    return {
        "metadata": metadata,
        "spec": {"activeDeadlineSeconds": limit},
        "status": {"startTime": started, **status},
    }


def test_what_is_over_its_time_is_retired_and_nothing_else(api: Api, dokku: Host) -> None:
    """The cluster's own clock does that in time, if it works: a minute is left to it."""
    api.objects[JOBS] = [
        job("aaaaaaaaaa", 4000, 3600),
        job("bbbbbbbbbb", 3630, 3600),
        job("cccccccccc", 10, 3600),
        job("dddddddddd", 4000, 3600, completionTime="2026-01-01T00:00:00Z"),
        job("eeeeeeeeee", 4000, 86400),
    ]
    assert trigger("scheduler-run-retire", "k3s", "demo") == (0, "       Retiring demo.run.aaaaaaaaaa\n", "")
    assert deleted(api) == [f"{JOBS}/demo-run-aaaaaaaaaa"]


def test_one_app_that_cannot_be_asked_does_not_keep_the_others_from_it(api: Api, dokku: Host) -> None:
    for name in ("demo", "other", "local"):
        dokku.app(name)
        dokku.store(name, "selected", "")
        path = dokku.lib / "config/scheduler" / name / "selected"
        path.parent.mkdir(parents=True)
        path.write_text("docker-local" if name == "local" else "k3s")
    api.objects[JOBS] = [job("aaaaaaaaaa", 4000, 3600)]
    api.faults.append(
        lambda _, path, query: (403, "no") if "demo" in query.get("labelSelector", "") else None
    )
    code, output, errors = trigger("scheduler-run-retire")
    assert (code, output) == (0, "       Retiring other.run.aaaaaaaaaa\n")
    assert errors.startswith(" !     Unable to retire the run containers of demo: ")


def run_pod(suffix: str, kind: str, *command: str, running: bool) -> dict[str, Any]:
    made = Pod(f"demo-{kind}-{suffix}-xyz", kind=kind, running=running).object()
    made["metadata"] |= {
        "annotations": {"dokku.com/job-suffix": suffix},
        "creationTimestamp": "2026-01-02T03:04:05Z",
    }
    made["metadata"]["labels"]["batch.kubernetes.io/job-name"] = f"demo-{kind}-{suffix}"
    made["spec"]["containers"][0]["args"] = list(command)
    return made


@pytest.fixture
def pods(api: Api) -> list[dict[str, Any]]:
    found = [
        run_pod("aaaaaaaaaa", "run", "rake", "db:migrate", running=True),
        run_pod("bbbbbbbbbb", "cron", "true", running=False),
    ]
    api.selected = lambda query: [_Made(pod) for pod in found]  # type: ignore[method-assign,misc]
    return found


class _Made:
    def __init__(self, made: dict[str, Any]) -> None:
        self._made = made

    def object(self) -> dict[str, Any]:
        return self._made


def test_the_list_has_the_names_that_other_commands_take(api: Api, pods: list[dict[str, Any]]) -> None:
    code, output, errors = trigger("scheduler-run-list", "k3s", "demo", "json")
    assert (code, errors) == (0, "")
    assert json.loads(output) == [
        {
            "name": "demo.run.aaaaaaaaaa",
            "state": "running",
            "command": "rake db:migrate",
            "created_at": "2026-01-02T03:04:05Z",
        },
        {
            "name": "demo.run.bbbbbbbbbb",
            "state": "exited",
            "command": "true",
            "created_at": "2026-01-02T03:04:05Z",
        },
    ]
    code, output, errors = trigger("scheduler-run-list", "k3s", "demo", "stdout")
    head, names, *rows = output.splitlines()
    assert head == "=====> demo run containers"
    assert names.split() == ["NAMES", "COMMAND", "RUNNING", "FOR"]
    assert [row.split()[0] for row in rows] == ["demo.run.aaaaaaaaaa", "demo.run.bbbbbbbbbb"]
    assert trigger("scheduler-run-list", "k3s", "demo", "xml")[0] == 1


@pytest.mark.parametrize("name", ["", "demo.run.aaaaaaaaaa", "demo-run-aaaaaaaaaa-xyz"])
def test_what_runs_is_stopped_by_its_job(api: Api, pods: list[dict[str, Any]], name: str) -> None:
    stopped = (0, "       Stopping demo.run.aaaaaaaaaa\n", "")
    assert trigger("scheduler-run-stop", "k3s", "demo", name) == stopped
    assert deleted(api) == [f"{JOBS}/demo-run-aaaaaaaaaa"]


def test_there_may_be_nothing_to_stop(api: Api, pods: list[dict[str, Any]]) -> None:
    code, output, _ = trigger("scheduler-run-stop", "k3s", "", "demo.run.bbbbbbbbbb")
    assert (code, "No run containers exist" in output) == (0, True)
    assert trigger("scheduler-run-stop", "k3s", "demo", "demo.run.other") == (
        1,
        "",
        " !     No run container demo.run.other found for app demo\n",
    )
    assert deleted(api) == []
