"""The cron tasks of an app from its deploy to its stop and back."""

import json
from typing import Any

import pytest
from kubernetes import client
from rig import images
from rig.cluster import Cluster
from rig.host import Host

from .apps import PART_OF, app, place

pytestmark = pytest.mark.cluster

TASKS = [
    {"command": "sh -c 'echo \"$KEY: $0\" \"$@\"' 007 'a  b' '{{ x }}'", "schedule": "0 4 * * *"},
    {"command": "true", "schedule": "@daily", "concurrency_policy": "forbid"},
]


def cron_jobs(cluster: Cluster, name: str) -> dict[str, Any]:
    found = client.BatchV1Api(cluster.api).list_namespaced_cron_job(
        "default", label_selector=f"{PART_OF}={name}"
    )
    return {item.metadata.annotations["dokku.com/cron-id"]: item for item in found.items}


def suspended(cluster: Cluster, name: str) -> dict[str, bool]:
    return {id_: item.spec.suspend for id_, item in cron_jobs(cluster, name).items()}


def test_tasks_run_and_are_suspended_as_dokku_says(host: Host, cluster: Cluster) -> None:
    files = {"app/app.json": json.dumps({"cron": TASKS})}
    image = images.build("rig/cron:v1", files=files, cmd=["sleep", "3600"])
    with app(host, "tasks", config={"KEY": "val"}, scale="web=0") as name:
        host.dokku("git:from-image", name, image)
        listed = json.loads(host.dokku("cron:list", name, "--format", "json").stdout)
        first, second = (task["id"] for task in listed)
        found = cron_jobs(cluster, name)
        assert {id_: item.spec.schedule for id_, item in found.items()} == {
            first: "0 4 * * *",
            second: "@daily",
        }
        assert found[second].spec.concurrency_policy == "Forbid"

        host.dokku("cron:suspend", name, first)
        assert suspended(cluster, name) == {first: True, second: False}
        host.dokku("cron:resume", name, first)
        assert suspended(cluster, name) == {first: False, second: False}

        cron_job = found[first].metadata.name
        cluster.kubectl("create", "job", "tasks-now", f"--from=cronjob/{cron_job}")
        cluster.kubectl("wait", "--for=condition=complete", "job/tasks-now", "--timeout=180s")
        assert cluster.kubectl("logs", "job/tasks-now").stdout == "val: 007 a  b {{ x }}\n"

        host.dokku("ps:stop", name)
        host.dokku("cron:set", name, "maintenance", "false")
        assert suspended(cluster, name) == {first: True, second: True}
        host.dokku("ps:restart", name)
        host.dokku("cron:suspend", name, second)
        assert suspended(cluster, name) == {first: False, second: True}
        assert {item.metadata.name for item in cron_jobs(cluster, name).values()} == {
            item.metadata.name for item in found.values()
        }


def test_two_hundred_tasks_are_deployed_once_each_and_one_goes(host: Host, cluster: Cluster) -> None:
    tasks = [{"command": f"echo {number}", "schedule": f"{number % 60} 3 * * *"} for number in range(200)]
    image = images.build(
        "rig/crons:v1", files={"app/app.json": json.dumps({"cron": tasks})}, cmd=["sleep", "9"]
    )
    with app(host, "manytasks", scale="web=0") as name:
        host.dokku("git:from-image", name, image)
        first = {id_: item.metadata.name for id_, item in cron_jobs(cluster, name).items()}
        assert len(set(first.values())) == len(tasks)

        place(host, f"data/app-json/{name}/app.json", json.dumps({"cron": tasks[1:]}))
        host.dokku("ps:restart", name)
        kept = {id_: item.metadata.name for id_, item in cron_jobs(cluster, name).items()}
        assert len(kept) == len(tasks) - 1
        assert kept.items() <= first.items()
