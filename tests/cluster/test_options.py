"""Docker options and storage on the real cluster: what the pods get, and what is refused or told before."""

from collections.abc import Iterator

import pytest
from kubernetes import client
from rig import images
from rig.cluster import Cluster
from rig.host import Host

from .apps import app, deployment, pods

pytestmark = pytest.mark.cluster


WRONG = """{"healthchecks": {"web": [{"type": "startup", "path": "/", "timeout": "x"}]}} // a text"""
PLACE = "app.json: healthchecks.web[0].timeout: 'x' is not of type integer"


@pytest.fixture
def claim(host: Host, cluster: Cluster) -> Iterator[str]:
    """A storage entry of dokku and its claim, bound to a directory of the node."""
    name = "optdata"
    host.dokku("storage:create", name, f"/tmp/{name}", "--scheduler", "k3s", "--size", "1Mi")
    yield name
    host.dokku("--force", "storage:destroy", name)


def in_pod(cluster: Cluster, name: str, script: str) -> str:
    (pod,) = pods(cluster, name, "web")
    words = ("exec", pod.metadata.name, "--namespace=default", "--", "sh", "-c", script)
    return cluster.kubectl(*words).stdout


def test_pods_get_what_the_options_ask_for(
    host: Host, cluster: Cluster, sample_image: str, claim: str
) -> None:
    with app(host, "options") as name:
        host.dokku("docker-options:add", name, "deploy", "--cap-add=CAP_SYS_TIME")
        host.dokku("docker-options:add", name, "deploy", "--sysctl net.ipv4.ip_unprivileged_port_start=79")
        host.dokku("docker-options:add", name, "deploy", "--env SECRET=hunter2")
        host.dokku("scheduler-k3s:set", name, "shm-size", "3Mi")
        host.dokku("storage:mount", name, f"{claim}:/a")
        host.dokku("storage:mount", name, claim, "--container-dir", "/b", "--readonly")
        done = host.dokku("git:from-image", name, sample_image)
        assert "Docker option --env of options has no effect" in done.stderr
        assert "hunter2" not in done.stdout + done.stderr
        said = in_pod(
            cluster,
            name,
            "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; df -k /dev/shm | tail -1; "
            "echo shared >/a/x; cat /b/x; touch /b/y || echo refused; grep CapBnd /proc/1/status",
        )
        lines = said.splitlines()
        assert lines[0] == "79"
        assert lines[1].split()[1] == "3072"
        assert lines[2] == "shared"
        assert "refused" in lines
        assert int(said.rpartition(":")[2], 16) & (1 << 25)  # CAP_SYS_TIME
        generation = deployment(cluster, "options-web").metadata.generation
        host.dokku("docker-options:add", name, "deploy", "--sysctl vm.max_map_count=300000")
        refused = host.dokku("ps:restart", name, check=False)
        assert refused.returncode != 0
        assert "vm.max_map_count is not namespaced" in refused.stderr
        host.dokku("docker-options:remove", name, "deploy", "--sysctl vm.max_map_count=300000")
        (host.lib / f"data/app-json/{name}/app.json").write_text(WRONG)
        refused = host.dokku("ps:restart", name, check=False)
        assert refused.returncode != 0
        assert PLACE in refused.stderr
        assert deployment(cluster, "options-web").metadata.generation == generation


def test_a_claim_that_is_not_there_is_told_before_anything_changes(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    host.dokku("storage:create", "optnone", "--scheduler", "k3s", "--size", "1Mi")
    cluster.kubectl("delete", "persistentvolumeclaim", "optnone", "--namespace=default")
    with app(host, "claimless") as name:
        host.dokku("storage:mount", name, "optnone:/a")
        refused = host.dokku("git:from-image", name, sample_image, check=False)
        assert refused.returncode != 0
        with pytest.raises(client.ApiException, match="not found"):
            deployment(cluster, "claimless-web")
        assert "Storage entry optnone of claimless has no volume claim" in refused.stderr


def test_a_wrong_app_json_ends_the_build(host: Host) -> None:
    image = images.build("rig/wrong:v1", files={"app/app.json": WRONG}, cmd=["sleep", "9"])
    with app(host, "wrongjson") as name:
        refused = host.dokku("git:from-image", name, image, check=False)
        assert refused.returncode != 0
        assert PLACE in refused.stderr
        assert "Building" not in refused.stdout
