"""The Job of a one-off process, field by field."""

import pytest
from scheduler_k3s.app import App, Image, Mount, Security
from scheduler_k3s.manifests.job import Run, job

APP = App("shop", "apps", "1700000000", Image("registry/shop:3", "dockerfile", "/srv"), (), stop_timeout=7)
RUN = Run("0123456789", ["rake", "60", "true"])


def test_the_whole_job() -> None:
    annotations = {
        "app.kubernetes.io/version": "1700000000",
        "dokku.com/builder-type": "dockerfile",
        "dokku.com/job-suffix": "0123456789",
        "dokku.com/managed": "true",
        "kubectl.kubernetes.io/default-container": "shop-run",
    }
    labels = {
        "app.kubernetes.io/instance": "shop-run",
        "app.kubernetes.io/name": "run",
        "app.kubernetes.io/part-of": "shop",
    }
    container = {
        "name": "shop-run",
        "image": "registry/shop:3",
        "imagePullPolicy": "Always",
        "args": ["rake", "60", "true"],
        "env": [],
        "envFrom": [{"secretRef": {"name": "config-shop", "optional": True}}],
        "resources": {},
        "securityContext": {"privileged": False},
        "workingDir": "/srv",
    }
    assert job(APP, RUN) == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "shop-run-0123456789",
            "namespace": "apps",
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "activeDeadlineSeconds": 86400,
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 60,
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": "shop",
                    "terminationGracePeriodSeconds": 7,
                    "containers": [container],
                },
            },
        },
    }


def test_a_cron_run_carries_the_tasks_id_and_its_hash() -> None:
    found = job(APP, Run("ab", ["x"], type="cron", cron_id="long id", cron_hash="hash"))
    assert found["metadata"]["name"] == "shop-cron-ab"
    for metadata in (found["metadata"], found["spec"]["template"]["metadata"]):
        assert metadata["labels"]["app.kubernetes.io/name"] == "cron"
        assert metadata["labels"]["dokku.com/cron-hash"] == "hash"
        assert metadata["annotations"]["dokku.com/cron-id"] == "long id"


@pytest.mark.parametrize(
    ("kind", "command"), [("pack", ["launcher"]), ("herokuish", ["/exec"]), ("dockerfile", None)]
)
def test_the_command_that_prepares_the_environment_of_a_buildpack(
    kind: str, command: list[str] | None
) -> None:
    app = App("shop", "apps", "1", Image("i", kind), ())
    assert job(app, RUN)["spec"]["template"]["spec"]["containers"][0].get("command") == command


def test_users_maps_go_to_job_and_pod_each() -> None:
    maps = {"--global.job": {"a": "1"}, "run.job": {"b": "2"}, "run.pod": {"c": "3"}, "web.pod": {"d": "4"}}
    found = job(App("shop", "apps", "1", Image("i"), (), labels=maps, annotations=maps), RUN)
    for part in ("labels", "annotations"):
        on_job = found["metadata"][part]
        on_pod = found["spec"]["template"]["metadata"][part]
        assert {key: on_job.get(key) for key in "abcd"} == {"a": "1", "b": "2", "c": None, "d": None}
        assert {key: on_pod.get(key) for key in "abcd"} == {"a": None, "b": None, "c": "3", "d": None}


def test_streams_options_volumes_and_environment() -> None:
    app = App(
        "shop",
        "apps",
        "1",
        Image("i"),
        (),
        pull_secrets=["logins"],
        security=Security(added=("NET_ADMIN",), privileged=True),
        mounts=(Mount("data", "/data"),),
        shm_size="64Mi",
    )
    run = Run("ab", ["x"], env=[("K", "a=b $(HOME)")], stdin=True, tty=True, removed=False, deadline=5)
    spec = job(app, run)["spec"]
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    assert "ttlSecondsAfterFinished" not in spec
    assert spec["activeDeadlineSeconds"] == 5
    assert (container["stdin"], container["stdinOnce"], container["tty"]) == (True, True, True)
    assert container["securityContext"] == {"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}}
    assert container["env"] == [{"name": "K", "value": "a=b $$(HOME)"}]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/dev/shm"}
    assert pod["imagePullSecrets"] == [{"name": "logins"}]
