"""`scheduler-app-status` and `scheduler-is-deployed` as dokku calls them, whatever the cluster does."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.api_server import Api, serve
from unit.dokku_host import Host

TRIGGERS = Path(__file__).parents[3] / "triggers"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
RECORDS = "/api/v1/namespaces/default/{}"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    dokku.listener("ps", "ps-current-scale", "#!/bin/sh\nprintf 'release=0\\nweb=2\\nworker=1'\n")
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


def ask(trigger: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [TRIGGERS / trigger, "k3s", "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **env},
    )


def deployment(replicas: "int | None", available: "int | None") -> dict[str, Any]:
    status = {} if available is None else {"availableReplicas": available}
    return {"spec": {} if replicas is None else {"replicas": replicas}, "status": status}


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        ([], "0 false"),
        ([deployment(0, None)], "0 false"),
        ([deployment(2, None)], "2 false"),
        ([deployment(2, 0), deployment(1, 0)], "3 false"),
        ([deployment(2, 2), deployment(1, 1)], "3 true"),
        ([deployment(2, 1), deployment(1, 1)], "3 mixed"),
        ([deployment(2, 3)], "2 true"),
        ([deployment(None, 1)], "1 true"),
    ],
)
def test_the_status_counts_wanted_replicas_in_one_request(
    api: Api, deployments: list[dict[str, Any]], expected: str
) -> None:
    api.objects[DEPLOYMENTS] = deployments
    done = ask("scheduler-app-status")
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
    assert api.requests == [("GET", DEPLOYMENTS, {"labelSelector": "app.kubernetes.io/part-of=demo"})]


def test_the_status_asks_in_the_apps_namespace(api: Api, dokku: Host) -> None:
    dokku.store("demo", "namespace", "team")
    api.objects["/apis/apps/v1/namespaces/team/deployments"] = [deployment(1, 1)]
    assert ask("scheduler-app-status").stdout == "1 true"


@pytest.mark.parametrize("code", [0, 401, 403, 500])
def test_without_an_answer_the_status_is_the_scale_and_not_running(api: Api, code: int) -> None:
    """0: the server takes the request and says nothing."""
    api.faults.append(lambda method, path, query: (code, "no"))
    done = ask("scheduler-app-status")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 false", "")
    assert len(api.requests) == 1


@pytest.mark.parametrize("kubeconfig", ["/nonexistent", "/", "/dev/null"])
def test_without_a_kubeconfig_there_still_is_a_status(api: Api, dokku: Host, kubeconfig: str) -> None:
    dokku.store("--global", "kubeconfig-path", kubeconfig)
    done = ask("scheduler-app-status")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 false", "")


@pytest.mark.parametrize("script", ["exit 1", "sleep 30", "echo web=many"])
def test_without_a_scale_there_still_is_a_status(api: Api, dokku: Host, script: str) -> None:
    api.faults.append(lambda method, path, query: (500, "no"))
    dokku.listener("ps", "ps-current-scale", f"#!/bin/sh\n{script}\n")
    done = ask("scheduler-app-status")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 false", "")


@pytest.mark.parametrize(
    ("driver", "kind"), [("", "secrets"), ("secret", "secrets"), ("configmaps", "configmaps")]
)
def test_an_app_with_any_revision_is_deployed(api: Api, driver: str, kind: str) -> None:
    path = RECORDS.format(kind)
    api.objects[path] = [{"metadata": {"name": "sh.helm.release.v1.demo.v1", "labels": {"status": "failed"}}}]
    done = ask("scheduler-is-deployed", HELM_DRIVER=driver)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert api.requests[0][2]["labelSelector"] == "owner=helm,name=demo"


def test_an_app_without_revisions_is_not_deployed_whatever_the_note_says(api: Api, dokku: Host) -> None:
    api.objects[RECORDS.format("secrets")] = []
    (dokku.data / "demo").mkdir(parents=True)
    (dokku.data / "demo/deployed.json").write_text("{}")
    done = ask("scheduler-is-deployed")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", " !     App demo is not deployed\n")


def test_when_the_cluster_is_away_the_note_of_the_last_deploy_decides(api: Api, dokku: Host) -> None:
    dokku.store("--global", "kubeconfig-path", "/nonexistent")
    assert ask("scheduler-is-deployed").returncode == 1
    (dokku.data / "demo").mkdir(parents=True)
    (dokku.data / "demo/deployed.json").write_text("{}")
    done = ask("scheduler-is-deployed")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cron_tasks_are_not_the_hosts() -> None:
    done = subprocess.run(
        [TRIGGERS / "scheduler-uses-host-cron", "k3s"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "false\n"
    other = subprocess.run(
        [TRIGGERS / "scheduler-uses-host-cron", "null"], capture_output=True, text=True, check=True
    )
    assert other.stdout == ""
