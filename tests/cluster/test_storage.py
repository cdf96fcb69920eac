"""Storage entries on the real cluster: data that outlives pods and is shared by apps."""

import pytest
from kubernetes import client
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import app, none_leaving, pods

pytestmark = pytest.mark.cluster


def in_pod(cluster: Cluster, name: str, script: str) -> str:
    pod = pods(cluster, name, "web")[0]
    words = ("exec", pod.metadata.name, "--namespace=default", "--", "sh", "-c", script)
    return cluster.kubectl(*words).stdout.strip()


def test_data_outlives_a_redeploy_and_two_apps_share_it(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    create = ("storage:create", "stshared", "--scheduler", "k3s", "--size", "1Mi")
    host.dokku(*create, "--annotation", "example.com/a=on", "--label", "team=007")
    try:
        found = cluster.core.read_namespaced_persistent_volume_claim("stshared", "default")
        assert found.metadata.labels["team"] == "007"
        assert found.metadata.annotations["example.com/a"] == "on"
        with app(host, "st-one") as one, app(host, "st-two") as two:
            for name in (one, two):
                host.dokku("storage:mount", name, "stshared:/data")
                host.dokku("git:from-image", name, sample_image)
            host.dokku("storage:wait", "stshared", "--timeout", "60")
            in_pod(cluster, one, "echo kept >/data/x")
            host.dokku("ps:restart", one)
            eventually(lambda: none_leaving(cluster, one))
            assert in_pod(cluster, one, "cat /data/x") == "kept"
            assert in_pod(cluster, two, "cat /data/x") == "kept"
            refused = host.dokku("storage:set", "stshared", "size", "1Ki", check=False)
            assert "has 1Mi, and a volume claim cannot shrink to 1Ki" in refused.stderr
            host.dokku("storage:set", "stshared", "size", "1Mi")
            host.dokku("scheduler-k3s:set", one, "namespace", "st-elsewhere")
            refused = host.dokku("ps:restart", one, check=False)
            assert (
                f"Storage entry stshared, mounted by {one} at /data, is in namespace default"
                in refused.stderr
            )
            host.dokku("scheduler-k3s:set", one, "namespace")
    finally:
        done = host.dokku("--force", "storage:destroy", "stshared")
    assert "Removed volume claim stshared from namespace default" in done.stdout
    with pytest.raises(client.ApiException) as caught:
        eventually(lambda: not cluster.core.read_namespaced_persistent_volume_claim("stshared", "default"))
    assert caught.value.status == 404


def test_a_directory_of_the_nodes_keeps_its_data_and_wrong_entries_leave_nothing(
    host: Host, cluster: Cluster
) -> None:
    place = "/tmp/stpath"
    fields = ("--scheduler", "k3s", "--size", "1Mi")
    host.dokku("storage:create", "stpath", place, *fields, "--namespace", "st-made")
    try:
        host.dokku("storage:wait", "stpath", "--timeout", "60")
        assert cluster.core.read_namespace("st-made").metadata.labels["dokku.com/managed"] == "true"
        volume = cluster.core.read_persistent_volume("stpath").spec
        assert (volume.host_path.path, volume.persistent_volume_reclaim_policy) == (place, "Retain")
        moved = host.dokku("storage:set", "stpath", "namespace", "default", check=False)
        assert "Storage entry stpath is in namespace st-made already" in moved.stderr
        host.dokku("storage:set", "stpath", "namespace", "st-made")
        refused = host.dokku("storage:create", "stnone", *fields, "--storage-class", "gold", check=False)
        assert "Storage class gold of storage entry stnone does not exist" in refused.stderr
        assert "local-path" in refused.stderr
        assert not (host.lib / "data/storage-registry/entries/stnone.json").exists()
    finally:
        done = host.dokku("--force", "storage:destroy", "stpath")
    assert f"the data stays in {place} of the nodes" in done.stdout
    with pytest.raises(client.ApiException) as caught:
        eventually(lambda: not cluster.core.read_persistent_volume("stpath"))
    assert caught.value.status == 404
    cluster.kubectl("delete", "namespace", "st-made", "--wait=false")


def test_a_claim_that_dokku_did_not_make_is_left_alone(host: Host, cluster: Cluster, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    cluster.apply(
        namespace,
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "theirs"}, "spec": spec},
    )
    words = ("--scheduler", "k3s", "--size", "1Mi", "--namespace", namespace)
    refused = host.dokku("storage:create", "theirs", *words, check=False)
    assert refused.returncode != 0
    assert "an object of that name exists and was not made by dokku" in refused.stderr
