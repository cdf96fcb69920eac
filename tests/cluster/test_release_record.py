"""helm's own records of releases: as large as the plugin says, and readable to helm after the plugin changed one."""

import base64
import json
import random
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from rig import target
from rig.cluster import Cluster
from rig.node import versions
from scheduler_k3s.manifests import chart
from scheduler_k3s.tools import cluster as api
from scheduler_k3s.tools import release, resources

Object = dict[str, Any]
pytestmark = pytest.mark.cluster

RANDOM = random.Random(1)
WORDS = ["".join(RANDOM.choices("etaoinshrdlu", k=RANDOM.randint(2, 9))) for _ in range(3000)]
CONTENTS = {
    "tiny": "x",
    "noise": base64.b64encode(RANDOM.randbytes(200_000)).decode(),
    "words": " ".join(RANDOM.choices(WORDS, k=60_000)),
    "markup": "".join(RANDOM.choices("<>&\"'{}\\\x01", k=200_000)),
    "scripts": "".join(map(chr, RANDOM.choices(range(0xA0, 0xD000), k=60_000))),
}


def helm(namespace: str, *words: str) -> str:
    argv = [versions.program("helm"), *words, "--namespace", namespace, f"--kubeconfig={target.KUBECONFIG}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def install(namespace: str, name: str, text: str) -> dict[str, str]:
    """Install a release of one object and give its chart's files."""
    metadata = {"name": name, "namespace": namespace}
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}}
    files = chart.files(name, "0.0.1", [item], {"global": {"deployment_id": "1700000000"}})
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / name
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content.encode())
        helm(namespace, "upgrade", "--install", name, str(root), "--server-side=false")
    return files


@pytest.mark.parametrize("name", CONTENTS)
def test_a_record_is_never_larger_than_said(cluster: Cluster, namespace: str, name: str) -> None:
    files = install(namespace, name, CONTENTS[name])
    found = release.newest(api.Cluster.open(str(target.KUBECONFIG)), namespace, name)
    assert found is not None
    real, said = len(base64.b64decode(found.record["data"]["release"])), release.size(files)
    assert real <= said <= real * 1.05 + 4096
    assert found.value("global.deployment_id") == "1700000000"
    (item,) = resources.manifest_objects(found.manifest)
    assert item["data"] == {"text": CONTENTS[name]}


@pytest.mark.parametrize("status", ["pending-upgrade", "uninstalling"])
def test_helm_goes_on_from_a_record_whose_status_was_changed(
    cluster: Cluster, namespace: str, status: str
) -> None:
    install(namespace, "shop", "é<&>")
    client = api.Cluster.open(str(target.KUBECONFIG))
    found = release.newest(client, namespace, "shop")
    assert found is not None
    release.set_status(client, found, status, "killed")
    (entry,) = json.loads(helm(namespace, "history", "shop", "--output=json"))
    assert (entry["status"], entry["description"]) == (status, "killed")
    pending = release.newest(client, namespace, "shop")
    assert pending is not None
    assert pending.status in release.PENDING
    release.set_status(client, pending, "failed", "taken over")
    install(namespace, "shop", "again")
    history = json.loads(helm(namespace, "history", "shop", "--output=json"))
    assert [entry["revision"] for entry in history] == [1, 2]
    assert history[-1]["status"] == "deployed"
