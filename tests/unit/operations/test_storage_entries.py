"""What a storage entry's claim can never become, and what is not ours, on an API that keeps objects.

What is written is tested on a real cluster.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import storage_entries
from unit.dokku_host import Host
from unit.helm_records import content, record
from unit.object_api import ObjectApi, serve

CLAIM = "/api/v1/namespaces/default/persistentvolumeclaims/data"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
SECRETS = "/api/v1/namespaces/{}/secrets"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[ObjectApi]:
    with serve() as served:
        known = {
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": served.url}}],
            "users": [{"name": "u", "user": {}}],
        }
        (tmp_path / "kubeconfig").write_text(json.dumps(known))
        dokku.store("--global", "kubeconfig-path", str(tmp_path / "kubeconfig"))
        served.groups[CLASSES] = {"items": [{"metadata": {"name": "fast"}}, {"metadata": {"name": "slow"}}]}
        served.groups["/api/v1/secrets"] = {"items": []}
        yield served


def entry(**fields: Any) -> tuple[str, str]:
    return "data", json.dumps({"name": "data", "scheduler": "k3s", "size": "1Gi", **fields})


def live(api: ObjectApi, **spec: Any) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast", **spec}
    api.put(CLAIM, spec={"resources": {"requests": {"storage": "1Gi"}}, **spec}, status={"phase": "Bound"})


def released(api: ObjectApi, namespace: str, manifest: str) -> None:
    kept = record(content(name="storage-data", manifest=manifest))
    kept["metadata"]["labels"]["name"] = "storage-data"
    kept["metadata"]["namespace"] = namespace
    api.objects[f"{SECRETS.format(namespace)}/{kept['metadata']['name']}"] = kept
    api.groups["/api/v1/secrets"] = {"items": [kept]}


def writes(api: ObjectApi) -> list[str]:
    return [method for method, _, query in api.asked if method != "GET" and query.get("dryRun") != "All"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"storage_class": "slow"}, "has storage-class fast, which cannot become slow"),
        (
            {"access_mode": "ReadWriteMany"},
            "has access-mode ReadWriteOnce, which cannot become ReadWriteMany",
        ),
        ({"host_path": "/srv"}, "has storage-class fast, which cannot become none"),
        ({"size": "512Mi"}, "cannot shrink to 512Mi.*storage:set data size 1Gi"),
    ],
)
def test_what_kubernetes_keeps_is_refused(api: ObjectApi, fields: dict[str, str], why: str) -> None:
    live(api)
    with pytest.raises(PluginError, match=why):
        storage_entries.create(*entry(**fields))
    assert writes(api) == []


def test_an_unknown_class_is_refused_with_those_there_are(api: ObjectApi) -> None:
    with pytest.raises(
        PluginError, match=r"Storage class gold .* does not exist in the cluster. It has: fast, slow"
    ):
        storage_entries.create(*entry(storage_class="gold"))
    assert writes(api) == []


def test_a_claim_with_data_does_not_stay_behind_for_an_empty_one(api: ObjectApi) -> None:
    released(api, "team", "dokku.com/managed")
    with pytest.raises(
        PluginError, match=r"is in namespace team already(.|\n)*storage:set data namespace team"
    ):
        storage_entries.create(*entry())
    assert writes(api) == []


def test_the_phase_is_told_and_nothing_else(api: ObjectApi) -> None:
    live(api)
    assert storage_entries.status(*entry()) == "Bound"
    del api.objects[CLAIM]
    with pytest.raises(PluginError, match="data has no volume claim in namespace default"):
        storage_entries.status(*entry())


def test_a_release_of_somebody_else_stays(api: ObjectApi, capsys: pytest.CaptureFixture[str]) -> None:
    storage_entries.destroy(*entry())
    released(api, "default", "somebody's")
    storage_entries.destroy(*entry())
    assert (
        "The helm release storage-data in namespace default was not made by dokku" in capsys.readouterr().err
    )


def test_entries_of_other_schedulers_are_nothing_to_us(api: ObjectApi) -> None:
    storage_entries.create(*entry(scheduler="docker-local"))
    storage_entries.destroy(*entry(scheduler="docker-local"))
    assert api.asked == []
