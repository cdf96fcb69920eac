"""The CronJob of a task, written out by hand, and what decides its parts."""

from typing import Any

import pytest
from scheduler_k3s.app import CronTask, Image
from scheduler_k3s.manifests.cron_job import cron_job
from unit.models import REQUESTS, shop, worked_example

Object = dict[str, Any]

ID = "2z18j67uhp8m8a2zgpo153oh5n0t3pv367k5j5ovg37vjnr2asxu8n5a5vzde3fkkkq"
HASH = "d3f329570d37ed9e99956ef429e8d2458d33a85f"
TASK = CronTask(ID, HASH, "a1b2c3d4e5", "*/5 * * * *", ("node", "cleanup.js"), resources=REQUESTS)
LABELS = {
    "app.kubernetes.io/instance": "node-js-app-cron-a1b2c3d4e5",
    "app.kubernetes.io/name": "cron",
    "app.kubernetes.io/part-of": "node-js-app",
    "dokku.com/cron-hash": HASH,
}
ANNOTATIONS = {
    "app.kubernetes.io/version": "1700000000",
    "dokku.com/builder-type": "herokuish",
    "dokku.com/cron-hash": HASH,
    "dokku.com/cron-id": ID,
    "dokku.com/job-suffix": "a1b2c3d4e5",
    "dokku.com/managed": "true",
    "kubectl.kubernetes.io/default-container": "node-js-app-cron",
}


def test_the_whole_object() -> None:
    common = {"labels": LABELS, "annotations": ANNOTATIONS}
    assert cron_job(worked_example(), TASK) == {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "node-js-app-cron-a1b2c3d4e5", "namespace": "default", **common},
        "spec": {
            "schedule": "*/5 * * * *",
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "startingDeadlineSeconds": 60,
            "successfulJobsHistoryLimit": 10,
            "failedJobsHistoryLimit": 10,
            "jobTemplate": {
                "metadata": common,
                "spec": {
                    "backoffLimit": 0,
                    "podReplacementPolicy": "Failed",
                    "ttlSecondsAfterFinished": 60,
                    "activeDeadlineSeconds": 86400,
                    "template": {
                        "metadata": common,
                        "spec": {
                            "restartPolicy": "Never",
                            "serviceAccountName": "node-js-app",
                            "imagePullSecrets": [{"name": "pull-secret-node-js-app"}],
                            "containers": [
                                {
                                    "name": "node-js-app-cron",
                                    "image": "registry.example.com/dokku/node-js-app:3",
                                    "imagePullPolicy": "Always",
                                    "args": ["node", "cleanup.js"],
                                    "workingDir": "/app",
                                    "envFrom": [
                                        {"secretRef": {"name": "config-node-js-app", "optional": True}}
                                    ],
                                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
                                }
                            ],
                        },
                    },
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("image", "command", "directory"),
    [
        (Image("i", "pack", "/workspace"), ["launcher"], "/workspace"),
        (Image("i", "herokuish", "/app"), None, "/app"),
        (Image("i", "dockerfile", ""), None, None),
    ],
)
def test_how_the_image_was_built(image: Image, command: list[str] | None, directory: str | None) -> None:
    pod = cron_job(shop(image=image), TASK)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (container.get("command"), container.get("workingDir")) == (command, directory)
    assert "imagePullSecrets" not in pod


def test_policy_and_suspension() -> None:
    spec = cron_job(shop(), CronTask("i", "h", "s", "@daily", ("x",), "Forbid", True))["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"], spec["suspend"]) == ("@daily", "Forbid", True)


@pytest.mark.parametrize("part", ["labels", "annotations"])
def test_what_users_add_goes_to_the_object_they_named(part: str) -> None:
    added = {
        "--global.cronjob": {"a": "app", "b": "app"},
        f"{ID}.cronjob": {"b": "task"},
        "other.cronjob": {"c": "no"},
        f"{ID}.job": {"on": "job"},
        "--global.pod": {"on": "pod"},
        "cron.pod": {"d": "no"},
    }
    built = cron_job(worked_example(**{part: added}), TASK)
    job = built["spec"]["jobTemplate"]
    own = LABELS if part == "labels" else ANNOTATIONS
    assert built["metadata"][part] == {**own, "a": "app", "b": "task"}
    assert job["metadata"][part] == {**own, "on": "job"}
    assert job["spec"]["template"]["metadata"][part] == {**own, "on": "pod"}
