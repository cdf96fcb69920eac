"""Ten pods from a pushed image to all of them ready, against kubectl's rollout of the same change."""

import itertools
import json
import time
from collections.abc import Iterator

from .hosts import deployed, kubectl
from .measure import Row, in_turns, seconds
from .redeploy import _deploy

RUNS = 3
APP = "benchroll"
PODS = 10


def rows() -> Iterator[Row]:
    number = itertools.count()
    with deployed(APP, scale=f"web={PODS}") as dokku:
        floor, ours = in_turns(RUNS, lambda: _kubectl(next(number)), lambda: _deploy(dokku, APP))
    yield Row(
        f"new pods, {PODS} of them, image pushed to all ready", "kubectl rollout", "s", ours, floor, 1.2
    )


def _kubectl(number: int) -> float:
    annotations = {"app.kubernetes.io/version": f"floor-{number}"}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    started = time.perf_counter()
    seconds(kubectl("patch", "deployment", f"{APP}-web", f"--patch={json.dumps(patch)}"))
    seconds(kubectl("rollout", "status", f"deployment/{APP}-web"))
    return time.perf_counter() - started
