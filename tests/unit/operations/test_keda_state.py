"""What is read of KEDA before a deploy, and what is done so that its replica counts outlive helm's merge."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.operations import keda
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA, Keda
from scheduler_k3s.tools import release
from scheduler_k3s.tools.cluster import ApiError
from scheduler_k3s.tools.resources import manifest_objects
from unit.helm_records import content, record
from unit.models import shop
from unit.object_api import ObjectApi, serve

Object = dict[str, Any]
SCALED = "/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects"
EVERYWHERE = "/apis/keda.sh/v1alpha1/clustertriggerauthentications"
SECRETS = "/api/v1/namespaces/default/secrets"
PART_OF = {"app.kubernetes.io/part-of": "shop"}
PAUSED = "autoscaling.keda.sh/paused-replicas"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin's own packages: those of the tests."""
    (tmp_path / "python" / str(sys.implementation.cache_tag)).mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    monkeypatch.delenv("HELM_DRIVER", raising=False)
    with serve() as served:
        yield served


def serves(api: ObjectApi, *versions: str) -> None:
    groups = [{"name": "apps", "versions": [{"groupVersion": "apps/v1"}]}]
    groups += [{"name": each.partition("/")[0], "versions": [{"groupVersion": each}]} for each in versions]
    api.groups["/apis"] = {"groups": groups}
    api.groups[EVERYWHERE] = {"items": [{"metadata": {"name": "kafka"}}]}


def scaled_object(api: ObjectApi, name: str, labels: dict[str, str], **annotations: str) -> None:
    api.put(f"{SCALED}/{name}", metadata={"labels": labels, "annotations": annotations})


def test_a_cluster_without_keda_is_asked_once(api: ObjectApi) -> None:
    serves(api)
    assert keda.read(api.cluster(), "shop", "default") == Keda()
    assert [path for _, path, _ in api.asked] == ["/apis"]


def test_a_cluster_with_keda(api: ObjectApi) -> None:
    serves(api, KEDA, HTTP_ADD_ON, "other.keda.sh/v1")
    scaled_object(api, "shop-web", PART_OF)
    scaled_object(api, "other-web", {}, **{PAUSED: "0"})
    known = Keda(frozenset({KEDA, HTTP_ADD_ON}), frozenset({"kafka"}))
    assert keda.read(api.cluster(), "shop", "default") == known


def test_an_app_that_was_stopped(api: ObjectApi) -> None:
    serves(api, KEDA)
    scaled_object(api, "shop-web", PART_OF, **{PAUSED: "0"})
    assert keda.read(api.cluster(), "shop", "default").paused


def test_parts_of_keda_are_no_keda(api: ObjectApi) -> None:
    serves(api, KEDA)
    del api.groups[EVERYWHERE]
    assert keda.read(api.cluster(), "shop", "default") == Keda()


def test_any_other_error_ends_the_deploy(api: ObjectApi) -> None:
    api.down = 403
    with pytest.raises(ApiError):
        keda.read(api.cluster(), "shop", "default")


# the replica counts


def deployment(name: str, **spec: Any) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


OURS = f"""---
# Source: shop/templates/objects.yaml
{json.dumps(deployment("shop-web", replicas=3, paused=False), indent=1)}
---
# Source: shop/templates/objects.yaml
{json.dumps(deployment("shop-worker", replicas=2))}
"""
THEIRS = """---
# Source: shop/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-web
spec:
  replicas: 3
  paused: false
---
apiVersion: v1
kind: Service
metadata: {name: shop-web}
spec: {}
"""


def revise(api: ObjectApi, revision: int, status: str, manifest: str) -> None:
    item = record(
        {**content(revision, status, name="shop"), "manifest": manifest}, revision=revision, status=status
    )
    labels = {**item["metadata"]["labels"], "name": "shop"}
    api.put(f"{SECRETS}/sh.helm.release.v1.shop.v{revision}", **{**item, "metadata": {"labels": labels}})


def manifests(api: ObjectApi) -> list[str]:
    cluster = api.cluster()
    found = [
        release.fetch(cluster, "default", item) for item in release.revisions(cluster, "default", "shop")
    ]
    return [item.manifest for item in found if item is not None]


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("manifest", [OURS, THEIRS])
def test_the_count_of_an_autoscaled_process_alone_is_taken_out(manifest: str) -> None:
    edited = keda.reduced(manifest, {"shop-web"}, set())
    found = {f"{item['kind']} {item['metadata']['name']}": item["spec"] for item in manifest_objects(edited)}
    assert found.pop("Deployment shop-web") == {"paused": False}
    assert found == (
        {"Deployment shop-worker": {"replicas": 2}} if manifest == OURS else {"Service shop-web": {}}
    )
    assert edited.split("\n---")[1] == manifest.split("\n---")[1]


@pytest.mark.usefixtures("packages")
def test_a_manifest_without_counts_stays_as_it_is() -> None:
    edited = keda.reduced(OURS, {"shop-web"}, set())
    assert keda.reduced(edited, {"shop-web"}, {KEDA}) == edited
    assert keda.reduced(THEIRS, {"shop-api"}, {KEDA}) == THEIRS


BOTH = frozenset({KEDA, HTTP_ADD_ON})
SCALED_OBJECT = {"apiVersion": KEDA, "kind": "ScaledObject", "metadata": {"name": "shop-web"}, "spec": {}}


def prepare(api: ObjectApi, *wanted: Object, served: frozenset[str] = BOTH, **fields: Any) -> None:
    """As a deploy does; `asked` then holds what it asked and wrote."""
    newest = release.newest(api.cluster(), "default", "shop")
    api.asked.clear()
    keda.prepare(api.cluster(), shop(**fields), wanted, served, newest)


def test_the_last_and_the_last_good_manifest_are_those_that_helm_compares_with(api: ObjectApi) -> None:
    for revision, status in ((1, "superseded"), (2, "deployed"), (3, "failed")):
        revise(api, revision, status, OURS)
    prepare(api, deployment("shop-web"))
    edited = keda.reduced(OURS, {"shop-web"}, set())
    assert edited != OURS
    assert manifests(api) == [OURS, edited, edited]


def test_nothing_is_written_when_there_is_nothing_to_take_out(api: ObjectApi) -> None:
    revise(api, 1, "deployed", keda.reduced(OURS, {"shop-web"}, set()))
    prepare(api, deployment("shop-web"), deployment("shop-worker", replicas=2))
    assert {method for method, _, _ in api.asked} == {"GET"}
    prepare(api, deployment("shop-web", replicas=3), served=frozenset())
    assert api.asked == []


def test_objects_that_the_cluster_does_not_know_any_more_are_taken_out(api: ObjectApi) -> None:
    revise(api, 1, "deployed", f"{OURS}---\n{json.dumps(SCALED_OBJECT)}\n")
    prepare(api, deployment("shop-web", replicas=3))
    assert api.asked == []
    prepare(api, deployment("shop-web", replicas=3), served=frozenset())
    (left,) = manifests(api)
    assert [item["metadata"]["name"] for item in manifest_objects(left)] == ["shop-web", "shop-worker"]
    assert [item["spec"]["replicas"] for item in manifest_objects(left)] == [3, 2]


def test_a_first_deploy_has_nothing_to_take_out(api: ObjectApi) -> None:
    prepare(api, deployment("shop-web"))
    assert api.asked == []


def test_a_stopped_app_is_scaled_again(api: ObjectApi) -> None:
    scaled_object(api, "shop-web", PART_OF, **{PAUSED: "0", "kept": "yes"})
    prepare(api, keda=Keda(frozenset({KEDA}), paused=True))
    assert api.objects[f"{SCALED}/shop-web"]["metadata"]["annotations"] == {"kept": "yes"}


@pytest.mark.parametrize(
    ("served", "kinds"),
    [
        ((), ["Deployment", "Deployment"]),
        ((HTTP_ADD_ON,), ["Deployment", "Deployment"]),
        ((KEDA,), ["Deployment", "Deployment", "ScaledObject"]),
    ],
)
def test_a_release_is_removed_from_a_cluster_that_lost_keda(
    api: ObjectApi, served: tuple[str, ...], kinds: list[str]
) -> None:
    serves(api, *served)
    revise(api, 1, "deployed", f"{OURS}---\n{json.dumps(SCALED_OBJECT)}\n")
    keda.forget_unserved(api.cluster(), "shop", "default")
    assert [item["kind"] for item in manifest_objects(manifests(api)[0])] == kinds


def test_a_release_without_keda_asks_nothing_of_it(api: ObjectApi) -> None:
    revise(api, 1, "deployed", OURS)
    keda.forget_unserved(api.cluster(), "shop", "default")
    assert "/apis" not in [path for _, path, _ in api.asked]
    keda.forget_unserved(api.cluster(), "other", "default")
