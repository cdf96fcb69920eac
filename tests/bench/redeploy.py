"""A redeploy without changes, in full, against a bare helm upgrade of the same objects."""

import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rig import images, target
from rig.host import Host, host
from rig.node import versions
from scheduler_k3s.manifests import chart
from scheduler_k3s.tools.resources import manifest_objects

from .measure import Row, in_turns

RUNS = 5
APP = "bench"


def rows() -> Iterator[Row]:
    number = itertools.count()
    with host() as dokku:
        dokku.use(target.KUBECONFIG)
        dokku.dokku("apps:create", APP)
        dokku.dokku("ps:set", APP, "stop-timeout-seconds", "1")
        dokku.dokku("git:from-image", APP, images.sample())
        try:
            floor, ours = in_turns(RUNS, lambda: _helm(next(number)), lambda: _deploy(dokku))
        finally:
            dokku.dokku("--force", "apps:destroy", APP)
    yield Row("scheduler-deploy, nothing changed, 1 process", "helm upgrade --wait", "s", ours, floor, 1.5)


def _helm(run: int) -> float:
    """The same objects with a new deployment id, so that the pods roll as in a deploy."""
    helm, where = versions.program("helm"), f"--kubeconfig={target.KUBECONFIG}"
    manifest = subprocess.run(
        [helm, "get", "manifest", APP, where], capture_output=True, text=True, check=True
    ).stdout
    objects = manifest_objects(manifest)
    for item in objects:
        if item["kind"] == "Deployment":
            item["spec"]["template"]["metadata"]["annotations"]["app.kubernetes.io/version"] = f"floor-{run}"
    with tempfile.TemporaryDirectory() as directory:
        for name, text in chart.files(APP, f"0.0.{int(time.time())}", objects, json.loads("{}")).items():
            path = Path(directory) / APP / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        started = time.perf_counter()
        argv = [
            helm,
            "upgrade",
            "--install",
            APP,
            f"{directory}/{APP}",
            where,
            "--server-side=false",
            "--wait=legacy",
        ]
        subprocess.run(argv, capture_output=True, check=True)
        return time.perf_counter() - started


def _deploy(dokku: Host) -> float:
    """As dokku calls it; the two closing triggers are dokku's work and left out of the time."""
    started = time.perf_counter()
    running = dokku.start("plugin:trigger", "scheduler-deploy", "k3s", APP, "latest", "")
    assert running.stdout is not None
    seconds = 0.0
    for line in running.stdout:
        if "Running post-deploy" in line:
            seconds = time.perf_counter() - started
    if running.wait() != 0:
        raise SystemExit("the deploy failed")
    return seconds
