"""What a one-off process is given: the app's volumes, a Procfile's entry, variables; and cron tasks that run now."""

import json
from collections.abc import Iterator

import pytest
from bench.hosts import environment, plugin
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .oneoffs import deployed, ended, program, run, run_pods, start

pytestmark = pytest.mark.cluster
PROCFILE = "web: sleep 3600\ngreet: sh -c 'echo \"$COLOUR: $0 $K\"' {}\n".replace("{}", "'a  b'")
SLEEP = "sh -c 'echo task; sleep 300'"
TASKS = [
    {"command": "sh -c 'echo now; exit 5'", "schedule": "0 4 * * *"},
    {"command": SLEEP, "schedule": "1 4 * * *", "concurrency_policy": "forbid"},
    {"command": SLEEP, "schedule": "2 4 * * *", "concurrency_policy": "replace"},
]


@pytest.fixture(scope="module")
def name(host: Host) -> Iterator[str]:
    files = {"app/Procfile": PROCFILE, "app/app.json": json.dumps({"cron": TASKS})}
    with deployed(host, "given", images.build("rig/given", files=files), scale="web=0") as made:
        host.dokku("ps:set", made, "stop-timeout-seconds", "1")
        yield made


def test_an_entry_of_the_procfile_and_variables(host: Host, name: str) -> None:
    assert run(host, "run", "-e", "K=x=y z", name, "greet") == (0, b"blue: a  b x=y z\n", b"")
    code, output, errors = ended(start(host, "run", name, "greet"))
    assert (code, output) == (0, b"blue: a  b \n")
    assert errors.startswith(b"-----> Found 'greet' in Procfile, running that command\n")
    assert (
        run(host, "run", "-e", "K=1", "-e", "EMPTY=", name, "sh", "-c", 'echo "$K${EMPTY-unset}"')[1]
        == b"1\n"
    )


def test_volumes_of_the_phase_run_are_there_and_storage_exec_sees_them(
    host: Host, cluster: Cluster, name: str
) -> None:
    """One volume for runs, one for processes only; what a run leaves is what a command on the entry finds."""
    entries = [f"{name}-{phase}" for phase in ("run", "deploy")]
    for entry, phase in zip(entries, ("run", "deploy"), strict=True):
        host.dokku("storage:create", entry, "--scheduler", "k3s", "--size", "16Mi")
        host.dokku("storage:mount", "--phases", phase, name, f"{entry}:/volume-{phase}")
    try:
        script = "ls -d /volume-*; printf 'kept \\377' >/volume-run/file"
        assert run(host, "run", name, "sh", "-c", script) == (0, b"/volume-run\n", b"")
        options = ("--image", images.sample(), "--")
        assert run(host, "storage:exec", entries[0], *options, "cat", "/data/file") == (0, b"kept \377", b"")
        refused = run(host, "storage:exec", entries[0], *options, "sh", "-c", "echo lost >&2; exit 9")
        assert refused[0] == 9
        assert b"lost\n" in refused[2]
        nobody = run(host, "storage:exec", entries[0], "--as-user", "1234", *options, "id", "-u")
        assert nobody[:2] == (0, b"1234\n")
        argv = [str(plugin(host) / "scheduler-storage-exec"), "k3s", entries[0], images.sample(), "--"]
        running = program([*argv, "sh", "-c", "echo up; sleep 300"], environment(host))
        assert running.stdout is not None
        assert running.stdout.readline() == b"up\n"
        assert len(_helpers(cluster, entries[0])) == 1
        running.terminate()
        assert ended(running)[0] == 143
        assert _helpers(cluster, entries[0]) == []
    finally:
        for entry, phase in zip(entries, ("run", "deploy"), strict=True):
            host.dokku("storage:unmount", name, f"{entry}:/volume-{phase}", check=False)
            host.dokku("storage:destroy", "--force", entry, check=False)


def _helpers(cluster: Cluster, entry: str) -> list[str]:
    found = cluster.core.list_namespaced_pod(
        "default", label_selector=f"dokku.com/storage-entry={entry}"
    ).items
    return [pod.metadata.name for pod in found if pod.metadata.deletion_timestamp is None]


def test_a_cron_task_now_and_its_concurrency_policy(host: Host, cluster: Cluster, name: str) -> None:
    once, forbid, replace = (
        task["id"] for task in json.loads(host.dokku("cron:list", name, "--format", "json").stdout)
    )
    code, output, errors = run(host, "cron:run", name, once)
    assert (code, output, errors) == (1, b"now\n", b""), "dokku itself makes every failure of cron:run a 1"

    first = host.dokku("cron:run", name, forbid, "--detach").stdout.strip()
    assert run_pods(cluster, name) == [first]
    code, output, errors = run(host, "cron:run", name, forbid, "--detach")
    assert (code, output) == (1, b"")
    assert run_pods(cluster, name) == [first]
    host.dokku("run:stop", name)
    eventually(lambda: not run_pods(cluster, name))

    second = host.dokku("cron:run", name, replace, "--detach").stdout.strip()
    third = host.dokku("cron:run", name, replace, "--detach").stdout.strip()
    assert second != third
    eventually(lambda: run_pods(cluster, name) == [third])
    listed = json.loads(host.dokku("run:list", name, "--format", "json").stdout)
    assert third.split("-")[2] in [entry["name"].rpartition(".")[2] for entry in listed]
    host.dokku("run:stop", name)
