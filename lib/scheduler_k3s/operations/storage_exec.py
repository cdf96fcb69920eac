"""scheduler-storage-exec: a command in a pod of its own that sees one storage entry at /data."""

import json
import os
import time
from collections.abc import Sequence
from typing import Any

from scheduler_k3s import log, pods
from scheduler_k3s.dokku import host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import signals, target
from scheduler_k3s.operations.enter import execute
from scheduler_k3s.tools.cluster import ApiError, Cluster, Object, name

MOUNT = "/data"
WAIT = 60.0
_CONTAINER = "exec"
_DOOMED = ("ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "InvalidImageName")
_SHELL = ("sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi")


def storage_exec(entry: str, image: str, user: str, command: Sequence[str]) -> int:
    """Run `command` (none: a shell) as `user` (a uid, none: the entry's owner); its exit code.

    Errors: PluginError. The pod is gone on every path.
    """
    known = _entry(entry)
    namespace = name(str(known.get("namespace") or "default"))
    cluster = target.cluster()
    if cluster.find(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name(entry)}") is None:
        raise PluginError(f"Storage entry {entry} has no volume claim in namespace {namespace}")
    body = pod(entry, image, user or str(known.get("chown") or ""), int(time.time() * 1000) % 1_000_000)
    base = f"/api/v1/namespaces/{namespace}/pods"
    path = f"{base}/{name(body['metadata']['name'])}"
    with signals.cancellable(f"The command on storage entry {entry} has been cancelled", shell_code=True):
        made = True
        try:
            try:
                cluster.create(base, body)
            except ApiError:
                made = False  # a pod of that name, if there is one, is somebody else's
                raise
            _until_running(cluster, path)
            return execute(cluster, path, _CONTAINER, list(command) or _SHELL)
        finally:
            if made:
                _remove(cluster.copy(), path)


def pod(entry: str, image: str, user: str, number: int) -> Object:
    spec: Object = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": _CONTAINER,
                "image": image,
                "command": ["sleep", "infinity"],
                "volumeMounts": [{"name": "data", "mountPath": MOUNT}],
            }
        ],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": entry}}],
    }
    if user:
        if not (user.isascii() and user.isdigit()):
            raise PluginError(f"Invalid user: {user!r}, it must be a number such as 1000")
        spec["securityContext"] = {key: int(user) for key in ("runAsUser", "runAsGroup", "fsGroup")}
    labels = {
        "app.kubernetes.io/managed-by": "dokku",
        "dokku.com/storage-entry": entry,
        "dokku.com/purpose": "storage-exec",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"dokku-storage-exec-{entry}-{number}", "labels": labels},
        "spec": spec,
    }


def _entry(entry: str) -> dict[str, Any]:
    path = f"{host.data(plugin='storage-registry')}/entries/{entry}.json"
    if "/" in entry or not os.path.isfile(path):
        raise PluginError(f"Storage entry {entry} does not exist")
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))


def _until_running(cluster: Cluster, path: str) -> None:
    deadline = time.monotonic() + WAIT
    while True:
        found = cluster.find(path)
        if found is None:
            raise PluginError(f"Pod {path.rpartition('/')[2]} was deleted")
        if pods.running(found):
            return
        why = pods.waiting_reason(found)
        if pods.ended(found) or why.startswith(_DOOMED):
            raise PluginError(f"Pod {pods.name(found)} cannot start: {why}")
        if time.monotonic() > deadline:
            raise PluginError(f"Pod {pods.name(found)} did not start within {WAIT:g} s: {why}")
        time.sleep(0.5)


def _remove(cluster: Cluster, path: str) -> None:
    options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
    try:
        cluster.request("DELETE", path, options)
    except PluginError as error:
        if not (isinstance(error, ApiError) and error.code == 404):
            log.warn(f"Unable to remove pod {path.rpartition('/')[2]}, which runs on: {error.message}")
