"""`ensure-charts` against the real Kubernetes, from a repository on loopback. The cluster counts as an external one."""

import base64
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rig.host
from rig import target
from rig.charts import Repository, serve
from rig.cluster import Cluster, eventually
from rig.host import Host
from rig.node import versions

pytestmark = [pytest.mark.cluster, pytest.mark.exclusive]

NAMESPACES = {
    "cert-manager": "cert-manager",
    "longhorn": "longhorn-system",
    "keda": "keda",
    "keda-add-ons-http": "keda",
    "vector": "vector",
}
URL = "chart-repository-url"


@pytest.fixture(scope="module")
def repository(cluster: Cluster) -> Iterator[Repository]:
    """The cluster has its custom resource definitions already, and they are not helm's."""
    with serve(definitions=False) as found:
        yield found


@pytest.fixture(scope="module")
def host(cluster: Cluster, repository: Repository) -> Iterator[Host]:
    """A host of its own: what is set for the charts here is nobody else's."""
    with rig.host.host() as laid_out:
        laid_out.use(target.KUBECONFIG)
        laid_out.dokku("scheduler-k3s:set", "--global", URL, repository.url)
        laid_out.dokku("scheduler-k3s:set", "--global", "charts-disabled", "ingress-nginx")
        yield laid_out
    cluster.kubectl("delete", "namespace", "vector", "longhorn-system", "--ignore-not-found", "--wait=false")


@pytest.fixture(autouse=True)
def cleaned(cluster: Cluster) -> Iterator[None]:
    """Also of what an earlier run has left."""
    clean(cluster)
    yield
    clean(cluster)


def clean(cluster: Cluster) -> None:
    for release, namespace in reversed(NAMESPACES.items()):
        helm("uninstall", release, "--ignore-not-found", f"--namespace={namespace}", "--wait")
    cluster.kubectl("delete", "namespace", "system-upgrade", "--ignore-not-found", "--wait=false")


def helm(*words: str) -> str:
    """helm as an administrator, or the scheduler that dokku ships, uses it."""
    with tempfile.TemporaryDirectory() as home:
        homes = {f"HELM_{name}_HOME": home for name in ("CACHE", "CONFIG", "DATA")}
        argv = [versions.program("helm"), f"--kubeconfig={target.KUBECONFIG}", *words]
        done = subprocess.run(
            argv, env={**os.environ, **homes}, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def releases() -> dict[str, tuple[str, str]]:
    """Status and chart version of the system releases."""
    found = json.loads(helm("list", "--all-namespaces", "--output=json"))
    return {
        item["name"]: (item["status"], item["chart"].removeprefix(f"{item['name']}-"))
        for item in found
        if NAMESPACES.get(item["name"]) == item["namespace"]
    }


def received(cluster: Cluster, release: str) -> dict[str, Any]:
    data = cluster.core.read_namespaced_config_map(f"{release}-received", NAMESPACES[release]).data
    return {**json.loads(data["values.json"]), "printed": data["printed"]}


def process(name: str, lines: str) -> list[str]:
    """What was said of one chart."""
    _, _, rest = lines.partition(f"-----> Processing chart {name}@")
    return [line.strip() for line in re.split("[-=]{5}> ", rest)[0].splitlines()[1:]]


def test_only_what_is_named_is_installed_with_values_sinks_and_overrides(
    host: Host, cluster: Cluster
) -> None:
    done = host.dokku("scheduler-k3s:ensure-charts")
    assert releases() == {}
    assert done.stdout.splitlines()[0] == "=====> Installing helm charts"
    assert done.stdout.splitlines()[-1] == "=====> Done"
    assert process("keda", done.stdout) == [
        "Skipping chart: on an external cluster only those in --charts are installed"
    ]
    assert "system-upgrader" not in done.stdout

    sink = base64.b64encode(b'{{ print "{{ pod }}" }}').decode()
    host.dokku(
        "logs:set", "--global", "vector-sink", f"console://?encoding[codec]=json&label=base64enc:{sink}"
    )
    host.dokku("scheduler-k3s:charts:set", "vector.printed", "1048576")
    host.dokku("scheduler-k3s:charts:set", "vector.text", "a,b={c}\nd")
    done = host.dokku("scheduler-k3s:ensure-charts", "--charts", "cert-manager,vector")
    assert releases() == {"cert-manager": ("deployed", "v1.13.3"), "vector": ("deployed", "0.52.0")}
    assert process("vector", done.stdout)[0] == "Force installing chart due to flag"
    assert process("vector", done.stdout)[-1] == "Installed vector 0.52.0"
    found = received(cluster, "vector")
    assert (found["printed"], found["text"]) == ("1048576", "a,b={c}\nd")
    assert "kubernetes_global_sink" in found["customConfig"]["sinks"]
    written = cluster.core.read_namespaced_config_map("vector", "vector").data["vector.yaml"]
    assert "label: '{{ pod }}'" in written
    assert received(cluster, "cert-manager")["installCRDs"] is True
    metadata = cluster.core.read_namespace("vector").metadata
    assert metadata.labels["dokku.com/managed"] == metadata.annotations["dokku.com/managed"] == "true"
    pods = cluster.core.list_namespaced_pod(
        "cert-manager", label_selector="app.kubernetes.io/instance=cert-manager"
    )
    assert sorted({pod.status.phase for pod in pods.items}) == ["Running"]


def test_older_releases_are_brought_up_newer_ones_are_kept(
    host: Host, cluster: Cluster, repository: Repository
) -> None:
    for name, version in (("keda", "2.13.1"), ("keda-add-ons-http", "0.11.1"), ("longhorn", "1.6.0")):
        words = (f"--repo={repository.url}", f"--version={version}", f"--namespace={NAMESPACES[name]}")
        helm("install", name, name, *words, "--create-namespace", "--server-side=false")
    host.dokku("scheduler-k3s:set", "--global", "charts-disabled", "ingress-nginx,cert-manager,vector")
    done = host.dokku("scheduler-k3s:ensure-charts", "--force", "--charts", "longhorn")
    assert process("traefik", done.stdout) == ["Skipping chart due to ingress-class mismatch"]
    assert process("ingress-nginx", done.stdout) == ["Skipping chart: disabled"]
    assert process("longhorn", done.stdout)[:2] == [
        "Force installing chart",
        "Keeping version 1.6.0, which is newer than 1.5.3, and never goes back",
    ]
    said = process("keda-add-ons-http", done.stdout)
    assert said[:3] == [
        "Force installing chart",
        "Running pre-upgrade hook keda-add-ons-http@0.12.2",
        "Upgrading keda-add-ons-http to intermediate version 0.12.2",
    ]
    assert len([line for line in said if line.startswith("Installed ")]) == 1
    assert releases() == {
        "longhorn": ("deployed", "1.6.0"),
        "keda": ("deployed", "2.19.0"),
        "keda-add-ons-http": ("deployed", "0.12.2"),
    }
    assert (
        received(cluster, "longhorn")["defaultSettings"]["taintToleration"]
        == "CriticalAddonsOnly=true:NoSchedule"
    )
    assert (
        "=====> Installing system-upgrader@0.13.2\n       namespace/system-upgrade created\n" in done.stdout
    )
    cluster.kubectl("get", "deployment/system-upgrade-controller", "--namespace=system-upgrade")


START = " !     Unable to install helm charts: Error installing chart keda: "


def failed(host: Host) -> str:
    done = host.dokku("scheduler-k3s:ensure-charts", "--charts", "keda", check=False)
    assert done.returncode == 1
    return done.stderr


def test_an_archive_that_is_not_the_chart_is_not_installed(host: Host, repository: Repository) -> None:
    archive = f"{repository.url}/keda-2.19.0.tgz"
    for fault, reason in (
        ("missing", f"{archive} answered 404 Not Found. "),
        ("web page", f"{archive} answered with a web page instead of the file. "),
        ("truncated", f"{archive} ended after "),
        ("other chart", f"{archive} has the sha256 digest "),
    ):
        repository.break_("keda-2.19.0.tgz", fault)
        assert failed(host).startswith(START + reason)
    repository.break_("keda-2.19.0.tgz", "")
    assert releases() == {}


@pytest.fixture
def no_image(host: Host) -> Iterator[None]:
    """KEDA's pods cannot start until the test says so."""
    host.dokku("scheduler-k3s:charts:set", "keda.rig.image", f"{target.REGISTRY}/rig/no-such-image:1")
    yield
    host.dokku("scheduler-k3s:charts:set", "keda.rig.image")


def started(host: Host, status: str) -> "tuple[subprocess.Popen[str], int]":
    """A run whose helm waits, with its revision in that status, and the process id of the plugin in it."""
    running = host.start("scheduler-k3s:ensure-charts", "--charts", "keda")
    assert eventually(lambda: releases().get("keda") == (status, "2.19.0"))
    lock = host.lib / "data/scheduler-k3s/--global/deploy.lock"
    return running, int(lock.read_text())


def test_pods_that_cannot_start_end_the_run(host: Host, no_image: None) -> None:
    said = failed(host)
    assert said.startswith(f"{START}2.19.0 cannot come up\n !     keda: pod keda-operator-")
    assert "no-such-image:1" in said
    assert "Can the nodes reach that registry? Another image is a value of the chart: " in said
    assert releases() == {"keda": ("failed", "2.19.0")}


def test_a_run_that_is_cut_off_is_taken_up_again(host: Host, no_image: None) -> None:
    running, plugin = started(host, "pending-install")
    (helm_process,) = Path(f"/proc/{plugin}/task/{plugin}/children").read_text().split()
    for process_id in (plugin, int(helm_process)):
        os.kill(process_id, signal.SIGKILL)
    running.communicate(timeout=120)
    assert releases()["keda"][0] == "pending-install"

    running, plugin = started(host, "pending-upgrade")
    os.kill(plugin, signal.SIGINT)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert said.endswith(f"{START}cancelled. Repeat the command to go on\n")
    assert releases() == {"keda": ("failed", "2.19.0")}

    host.dokku("scheduler-k3s:charts:set", "keda.rig.image")
    done = host.dokku("scheduler-k3s:ensure-charts", "--charts", "keda")
    assert process("keda", done.stdout)[-1] == "Installed keda 2.19.0"
    assert releases() == {"keda": ("deployed", "2.19.0")}
