"""`scheduler-stop` as dokku calls it, and what it says when the cluster is away."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.operations import stop, target
from scheduler_k3s.tools.cluster import Cluster
from unit.api_server import Api, serve
from unit.dokku_host import Host

TRIGGER = Path(__file__).parents[3] / "triggers" / "scheduler-stop"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
CRON_JOBS = "/apis/batch/v1/namespaces/{}/cronjobs"
SCALED = "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


def call(*words: str) -> tuple[int, str, str]:
    argv = [str(TRIGGER), "k3s", "demo", *words]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def item(name: str, process: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"app.kubernetes.io/name": process}}}


def fill(api: Api, namespace: str = "default") -> None:
    api.objects[DEPLOYMENTS.format(namespace)] = [item("demo-web", "web"), item("demo-worker", "worker")]
    api.objects[CRON_JOBS.format(namespace)] = [item("demo-cron-1"), item("demo-cron-2")]


def test_processes_go_to_zero_and_cron_tasks_are_suspended(api: Api) -> None:
    fill(api)
    for _ in range(2):
        api.bodies.clear()
        assert call() == (0, "       Stopping web process\n       Stopping worker process\n", "")
        assert api.bodies == [
            ("PATCH", DEPLOYMENTS.format("default") + "/demo-web/scale", {"spec": {"replicas": 0}}),
            ("PATCH", DEPLOYMENTS.format("default") + "/demo-worker/scale", {"spec": {"replicas": 0}}),
            ("PATCH", CRON_JOBS.format("default") + "/demo-cron-1", {"spec": {"suspend": True}}),
            ("PATCH", CRON_JOBS.format("default") + "/demo-cron-2", {"spec": {"suspend": True}}),
        ]
    assert {query["labelSelector"] for _, _, query in api.requests if query} == {
        "app.kubernetes.io/part-of=demo"
    }


def test_an_autoscaler_is_told_first_and_may_go_on_later(api: Api, tmp_path: Path) -> None:
    fill(api)
    api.objects[SCALED.format("default")] = [item("demo-web")]
    assert call()[0] == 0
    path = SCALED.format("default") + "/demo-web"
    assert api.bodies[0] == ("PATCH", path, {"metadata": {"annotations": {stop.PAUSED: "0"}}})
    stop.resume_autoscaling(Cluster.open(str(tmp_path / "kubeconfig")), "demo", "default")
    assert api.bodies[-1] == ("PATCH", path, {"metadata": {"annotations": {stop.PAUSED: None}}})


def test_an_app_is_stopped_where_it_was_deployed(api: Api, dokku: Host, tmp_path: Path) -> None:
    """The namespace has been set anew since, and not deployed to yet."""
    known = {
        "namespace": "old",
        "kubeconfig-path": str(tmp_path / "kubeconfig"),
        "kube-context": "",
        "release": "demo",
    }
    (dokku.data / "demo").mkdir(parents=True)
    (dokku.data / "demo/deployed.json").write_text(json.dumps(known))
    dokku.store("demo", "namespace", "new")
    fill(api, "old")
    assert call()[1] == "       Stopping web process\n       Stopping worker process\n"


def test_nothing_deployed_is_nothing_to_stop(api: Api) -> None:
    api.objects[DEPLOYMENTS.format("default")] = api.objects[CRON_JOBS.format("default")] = []
    assert call() == (0, "", "")
    assert api.bodies == []


def test_a_cluster_that_is_away_stops_ps_stop_but_no_destroy(api: Api, dokku: Host) -> None:
    dokku.store("--global", "kubeconfig-path", "/nonexistent")
    code, output, errors = call()
    assert (code, output) == (1, "")
    assert "kubeconfig /nonexistent cannot be used: it does not exist" in errors
    assert "dokku ps:stop demo" in errors
    code, output, errors = call("true")
    assert (code, output) == (0, "")
    assert errors.startswith(" !     Unable to stop demo in namespace default: ")


@pytest.mark.skipif(target.k3s_is_absent(target.DEFAULT_KUBECONFIG) is False, reason="this host runs k3s")
@pytest.mark.parametrize("words", [(), ("true",)])
def test_where_k3s_was_never_installed_nothing_can_run(dokku: Host, words: tuple[str, ...]) -> None:
    assert call(*words) == (0, "", " !     k3s is not installed, skipping\n")
