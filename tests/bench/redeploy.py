"""A redeploy without changes, in full, against a bare helm upgrade of the same objects; and its peak of memory."""

import itertools
import json
import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rig import images, target
from rig.host import TOOLS, Host
from scheduler_k3s.manifests import chart
from scheduler_k3s.tools.resources import manifest_objects

from .hosts import deployed, environment, plugin, settle
from .measure import Row, in_turns

RUNS = 5
APP = "bench"
LARGE = "benchlarge"
PROCESSES, DOMAINS, TASKS = 20, 20, 50


def rows() -> Iterator[Row]:
    with deployed(APP) as dokku:
        yield _row("1 process", dokku, APP, 1.5)
        yield Row("peak memory of scheduler-deploy itself, budget 48 MB", "", "MB", [_peak(dokku, APP)])
    scale = " ".join(f"p{number}=1" for number in range(PROCESSES - 1))
    with deployed(LARGE, _large(), f"web=1 {scale}", DOMAINS) as dokku:
        yield _row(f"{PROCESSES} processes, {DOMAINS} domains, {TASKS} cron tasks", dokku, LARGE, 2.5, 3)
        yield Row("peak memory of that scheduler-deploy, budget 48 MB", "", "MB", [_peak(dokku, LARGE)])


def _row(size: str, dokku: Host, app: str, budget: float, runs: int = RUNS) -> Row:
    number = itertools.count()
    floor, ours = in_turns(
        runs, lambda: _helm(app, next(number)), lambda: deploy(dokku, app), before=lambda: settle(app)
    )
    return Row(f"scheduler-deploy, nothing changed, {size}", "helm upgrade --wait", "s", ours, floor, budget)


def _large() -> str:
    words = "httpd -f -p 5000"
    procfile = "".join(f"p{number}: {words}\n" for number in range(PROCESSES - 1))
    tasks = [{"command": f"echo task {number}", "schedule": "0 3 1 1 *"} for number in range(TASKS)]
    files = {"app/Procfile": f"web: {words}\n{procfile}", "app/app.json": json.dumps({"cron": tasks})}
    return images.build("rig/large", files=files, cmd=words.split())


def _helm(app: str, number: int) -> float:
    """The same objects with a new deployment id, so that the pods roll as in a deploy."""
    helm, where = f"{TOOLS}/bin/helm", f"--kubeconfig={target.KUBECONFIG}"
    shown = subprocess.run([helm, "get", "manifest", app, where], capture_output=True, text=True, check=True)
    objects = manifest_objects(shown.stdout)
    for item in objects:
        if item["kind"] == "Deployment":
            item["spec"]["template"]["metadata"]["annotations"]["app.kubernetes.io/version"] = (
                f"floor-{number}"
            )
    with tempfile.TemporaryDirectory() as directory:
        for name, text in chart.files(app, f"0.0.{int(time.time())}", objects, json.loads("{}")).items():
            path = Path(directory) / app / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        argv = [helm, "upgrade", "--install", app, f"{directory}/{app}", where]
        started = time.perf_counter()
        subprocess.run([*argv, "--server-side=false", "--wait=legacy"], capture_output=True, check=True)
        return time.perf_counter() - started


def deploy(dokku: Host, app: str) -> float:
    """As dokku calls it; the two closing triggers are dokku's work and left out of the time."""
    argv = [str(dokku.prefix / "bin/plugn"), "trigger", "scheduler-deploy", "k3s", app, "latest", ""]
    started = time.perf_counter()
    running = subprocess.Popen(
        argv,
        env=environment(dokku),
        stdout=subprocess.PIPE,
        text=True,
        user="dokku",
        group="dokku",
        extra_groups=os.getgrouplist("dokku", pwd.getpwnam("dokku").pw_gid),
    )
    assert running.stdout is not None
    seconds = 0.0
    for line in running.stdout:
        if "Running post-deploy" in line:
            seconds = time.perf_counter() - started
    if running.wait() != 0:
        raise SystemExit("the deploy failed")
    return seconds


def _peak(dokku: Host, app: str) -> float:
    """The most memory that the trigger's own process held, in MB; its children are helm's and dokku's affair."""
    argv = [str(plugin(dokku) / "scheduler-deploy"), "k3s", app, "latest", ""]
    running = subprocess.Popen(
        argv, env=environment(dokku), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0.0
    while running.poll() is None:
        lines = Path(f"/proc/{running.pid}/status").read_text().splitlines()
        peak = max(peak, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0)
        time.sleep(0.05)
    if running.returncode != 0:
        raise SystemExit("the deploy failed")
    return peak
