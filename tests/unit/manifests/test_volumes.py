"""Volumes: one for each claim, shared memory as its own."""

from scheduler_k3s.app import Mount
from scheduler_k3s.manifests.deployment import deployment
from scheduler_k3s.manifests.volumes import container_mounts, pod_volumes
from unit.models import shop, web, worker


def test_without_storage_there_is_nothing() -> None:
    pod = deployment(shop(), web())["spec"]["template"]["spec"]
    assert "volumes" not in pod
    assert "volumeMounts" not in pod["containers"][0]


def test_a_claim_that_is_mounted_twice_is_one_volume() -> None:
    mounts = (
        Mount("data", "/a", "in/side"),
        Mount("other", "/c"),
        Mount("data", "/b", read_only=True),
    )
    for process in (web(), worker()):
        pod = deployment(shop(web(), worker(), mounts=mounts), process)["spec"]["template"]["spec"]
        assert pod["volumes"] == [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "other", "persistentVolumeClaim": {"claimName": "other"}},
        ]
        assert pod["containers"][0]["volumeMounts"] == [
            {"name": "data", "mountPath": "/a", "subPath": "in/side"},
            {"name": "other", "mountPath": "/c"},
            {"name": "data", "mountPath": "/b", "readOnly": True},
        ]


def test_shared_memory() -> None:
    app = shop(shm_size="64Mi")
    assert pod_volumes(app) == [{"name": "shmem", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}]
    assert container_mounts(app) == [{"name": "shmem", "mountPath": "/dev/shm"}]


def test_a_claim_called_like_shared_memory_keeps_its_name() -> None:
    app = shop(shm_size="64Mi", mounts=[Mount("shmem", "/a")])
    names = [volume["name"] for volume in pod_volumes(app)]
    assert len(set(names)) == 2
    assert [mount["name"] for mount in container_mounts(app)] == names
    assert names[1] == "shmem"
