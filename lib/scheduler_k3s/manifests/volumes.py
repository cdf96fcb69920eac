"""The volumes of an app's pods: the same for all of its processes and cron tasks."""

from scheduler_k3s.app import App
from scheduler_k3s.manifests.metadata import Object
from scheduler_k3s.storage import SHM


def pod_volumes(app: App) -> list[Object]:
    """One volume for each claim, however often it is mounted."""
    claims = dict.fromkeys(mount.claim for mount in app.mounts)
    volumes: list[Object] = [
        {"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims
    ]
    if app.shm_size:
        memory = {"medium": "Memory", "sizeLimit": app.shm_size}
        volumes.insert(0, {"name": _shm_name(app), "emptyDir": memory})
    return volumes


def container_mounts(app: App) -> list[Object]:
    mounts: list[Object] = [{"name": _shm_name(app), "mountPath": SHM}] if app.shm_size else []
    for mount in app.mounts:
        item: Object = {"name": mount.claim, "mountPath": mount.path}
        if mount.sub_path:
            item["subPath"] = mount.sub_path
        if mount.read_only:
            item["readOnly"] = True
        mounts.append(item)
    return mounts


def _shm_name(app: App) -> str:
    """`shmem`, unless a claim is called that."""
    name = "shmem"
    while any(mount.claim == name for mount in app.mounts):
        name += "-x"
    return name
