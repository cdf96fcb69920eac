"""dokku's storage entries: what is taken, what is refused and how."""

import json
from typing import Any

import pytest
from scheduler_k3s import storage_entry
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import claim
from scheduler_k3s.storage_entry import Entry


def parse(**fields: Any) -> Entry:
    entry = storage_entry.parse("data", json.dumps({"name": "data", "scheduler": "k3s", **fields}))
    storage_entry.check(entry)
    return entry


def test_a_claim_of_the_default_class() -> None:
    entry = parse(size="1Gi", annotations={"a/b": "1"}, labels={"team": "on"}, schema_version=1)
    assert claim.objects(entry) == [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "data",
                "namespace": "default",
                "labels": {
                    "app.kubernetes.io/name": "data",
                    "app.kubernetes.io/managed-by": "dokku",
                    "team": "on",
                },
                "annotations": {"dokku.com/managed": "true", "a/b": "1"},
            },
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    ]


def test_a_class_of_choice() -> None:
    spec = claim.claim(parse(size="1Gi", storage_class="fast", access_mode="ReadWriteMany"))["spec"]
    assert spec["storageClassName"] == "fast"
    assert spec["accessModes"] == ["ReadWriteMany"]


def test_a_directory_of_the_nodes_is_a_volume_bound_to_its_claim() -> None:
    made = claim.objects(parse(size="5Gi", host_path="/srv/data", namespace="team", reclaim_policy="Delete"))
    asked, volume = made
    assert (asked["spec"]["storageClassName"], asked["spec"]["volumeName"]) == ("", "data")
    assert "namespace" not in volume["metadata"]
    assert volume["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "5Gi"},
        "storageClassName": "",
        "persistentVolumeReclaimPolicy": "Delete",
        "hostPath": {"path": "/srv/data"},
        "claimRef": {"namespace": "team", "name": "data"},
    }
    assert (
        claim.volume(parse(size="1Gi", host_path="/a"))["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "size: it is missing.*storage:set data size 1Gi"),
        ({"size": "big"}, "size: big is no amount"),
        ({"size": "-1Gi"}, "size: -1Gi is no amount"),
        ({"size": "0"}, "size: 0 is no amount"),
        ({"size": "1Gi", "access_mode": "rw"}, "access-mode: rw is none of ReadWriteOnce"),
        ({"size": "1Gi", "reclaim_policy": "Keep"}, "reclaim-policy: Keep is none of Retain"),
        ({"size": "1Gi", "namespace": "A b"}, "namespace: A b is no name"),
        ({"size": "1Gi", "host_path": "data"}, "host path data must be absolute"),
    ],
)
def test_what_cannot_be_is_refused_with_an_example(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(PluginError, match=why):
        parse(**fields)


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"data"', "{"])
def test_what_is_no_entry(text: str) -> None:
    with pytest.raises(PluginError, match="storage entry data is not a JSON object with a name"):
        storage_entry.parse("data", text)


def test_the_entry_of_another_name() -> None:
    with pytest.raises(PluginError, match="storage entry data is that of other"):
        storage_entry.parse("data", '{"name": "other"}')


@pytest.mark.parametrize("name", ["..", "a/b", "A", "a_b", "x" * 46])
def test_a_name_is_never_a_path(name: str) -> None:
    with pytest.raises(PluginError, match="Invalid storage entry name"):
        storage_entry.parse(name, json.dumps({"name": name}))


def test_what_has_no_effect_is_told() -> None:
    told = storage_entry.warnings(parse(size="1Gi", mode="0755", reclaim_policy="Delete"))
    assert [text.partition(": ")[2].split()[0] for text in told] == ["mode", "reclaim-policy"]
    told = storage_entry.warnings(
        parse(size="1Gi", host_path="/a", reclaim_policy="Delete", storage_class="x")
    )
    assert [text.partition(": ")[2].split()[0] for text in told] == ["storage-class"]
