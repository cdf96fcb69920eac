"""Ten pods from a pushed image to all of them ready, against kubectl's rollout of the same change."""

import itertools
import json
import threading
import time
from collections.abc import Iterator

from kubernetes import client, watch
from rig.cluster import Cluster

from .hosts import deployed, kubectl, settle
from .measure import Row, in_turns, seconds
from .redeploy import deploy

RUNS = 5
APP = "benchroll"
PODS = 10


def rows() -> Iterator[Row]:
    number = itertools.count()
    ends: list[float] = []
    with deployed(APP, scale=f"web={PODS}") as dokku:

        def ready() -> float:
            """Until the pods are ready; the deploy itself ends with helm, which looks every two seconds."""
            moment: list[float] = []
            started = time.perf_counter()
            watcher = threading.Thread(target=lambda: moment.append(_until_ready() - started))
            watcher.start()
            ends.append(deploy(dokku, APP))
            watcher.join()
            return moment[0]

        floor, ours = in_turns(RUNS, lambda: _kubectl(next(number)), ready, before=lambda: settle(APP))
    what = f"{PODS} new pods, image pushed to"
    yield Row(f"{what} all ready", "kubectl rollout", "s", ours, floor, 1.2)
    yield Row(f"{what} the end of the deploy", "kubectl rollout", "s", ends, floor)


def _kubectl(number: int) -> float:
    annotations = {"app.kubernetes.io/version": f"floor-{number}"}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    started = time.perf_counter()
    seconds(kubectl("patch", "deployment", f"{APP}-web", f"--patch={json.dumps(patch)}"))
    seconds(kubectl("rollout", "status", f"deployment/{APP}-web"))
    return time.perf_counter() - started


def _until_ready() -> float:
    """The moment at which all pods of the next version are there, ready, and alone."""
    apps = client.AppsV1Api(Cluster().api)
    name = f"metadata.name={APP}-web"
    before = apps.read_namespaced_deployment(f"{APP}-web", "default").metadata.generation
    for event in watch.Watch().stream(apps.list_namespaced_deployment, "default", field_selector=name):
        item = event["object"]
        status, generation = item.status, item.metadata.generation
        counts = {status.replicas, status.updated_replicas, status.available_replicas}
        if generation > before and status.observed_generation >= generation and counts == {PODS}:
            return time.perf_counter()
    raise SystemExit("the watch of the deployment ended")
