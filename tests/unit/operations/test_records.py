"""What is taken out of helm's records, so that its merge does what is meant and stumbles over nothing."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.operations import records
from scheduler_k3s.tools import release
from scheduler_k3s.tools.cluster import ApiError
from scheduler_k3s.tools.resources import manifest_objects
from scheduler_k3s.tools.revisions import revisions_of
from unit.helm_records import content, record
from unit.object_api import ObjectApi, serve

Object = dict[str, Any]
SECRETS = "/api/v1/namespaces/default/secrets"
SCALED_OBJECTS = ("keda.sh/v1alpha1", "ScaledObject")


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
    found = [release.fetch(cluster, "default", item) for item in revisions_of(cluster, "default", "shop")]
    return [item.manifest for item in found if item is not None]


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("manifest", [OURS, THEIRS])
def test_the_count_of_an_autoscaled_process_alone_is_taken_out(manifest: str) -> None:
    edited = records.reduced(manifest, {"shop-web"}, set())
    found = {f"{item['kind']} {item['metadata']['name']}": item["spec"] for item in manifest_objects(edited)}
    assert found.pop("Deployment shop-web") == {"paused": False}
    assert found == (
        {"Deployment shop-worker": {"replicas": 2}} if manifest == OURS else {"Service shop-web": {}}
    )
    assert edited.split("\n---")[1] == manifest.split("\n---")[1]


@pytest.mark.usefixtures("packages")
def test_a_manifest_without_counts_stays_as_it_is() -> None:
    edited = records.reduced(OURS, {"shop-web"}, set())
    assert records.reduced(edited, {"shop-web"}, {SCALED_OBJECTS}) == edited
    assert records.reduced(THEIRS, {"shop-api"}, {SCALED_OBJECTS}) == THEIRS


def prepare(api: ObjectApi, *wanted: Object) -> None:
    """As a deploy does; `asked` then holds what it asked and wrote."""
    newest = release.newest(api.cluster(), "default", "shop")
    api.asked.clear()
    records.prepare(api.cluster(), newest, wanted)


def custom(version: str, kind: str) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "shop-web"}, "spec": {}}


def with_custom(*items: Object) -> str:
    return OURS + "".join(f"---\n{json.dumps(item)}\n" for item in items)


def serves(api: ObjectApi, version: str, *kinds: str) -> None:
    resources = [{"kind": kind, "name": f"{kind.lower()}s", "namespaced": True} for kind in kinds]
    api.groups[f"/apis/{version}"] = {"resources": resources}


def test_the_last_and_the_last_good_manifest_are_those_that_helm_compares_with(api: ObjectApi) -> None:
    for revision, status in ((1, "superseded"), (2, "deployed"), (3, "failed")):
        revise(api, revision, status, OURS)
    prepare(api, deployment("shop-web"))
    edited = records.reduced(OURS, {"shop-web"}, set())
    assert edited != OURS
    assert manifests(api) == [OURS, edited, edited]


def test_nothing_is_written_when_there_is_nothing_to_take_out(api: ObjectApi) -> None:
    revise(api, 1, "deployed", records.reduced(OURS, {"shop-web"}, set()))
    prepare(api, deployment("shop-web"), deployment("shop-worker", replicas=2))
    assert {method for method, _, _ in api.asked} == {"GET"}
    prepare(api, deployment("shop-web", replicas=3))
    assert api.asked == []


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("keda.sh/v1alpha1", "ScaledObject"),
        ("cert-manager.io/v1", "Certificate"),
        ("traefik.io/v1alpha1", "IngressRoute"),
    ],
)
def test_objects_that_the_cluster_does_not_know_any_more_are_taken_out(
    api: ObjectApi, version: str, kind: str
) -> None:
    revise(api, 1, "deployed", with_custom(custom(version, kind), custom("kept.io/v1", "Kept")))
    serves(api, "kept.io/v1", "Kept")
    serves(api, version, kind)
    prepare(api, deployment("shop-web", replicas=3))
    assert {method for method, _, _ in api.asked} == {"GET"}
    serves(api, version, f"{kind}List")
    prepare(api, deployment("shop-web", replicas=3))
    (left,) = manifests(api)
    assert [item["kind"] for item in manifest_objects(left)] == ["Deployment", "Deployment", "Kept"]
    assert [item["spec"].get("replicas") for item in manifest_objects(left)] == [3, 2, None]


def test_a_server_that_does_not_say_what_it_knows_loses_nothing(api: ObjectApi) -> None:
    manifest = with_custom(custom("keda.sh/v1alpha1", "ScaledObject"))
    revise(api, 1, "deployed", manifest)
    newest = release.newest(api.cluster(), "default", "shop")
    api.down = 503
    with pytest.raises(ApiError):
        records.prepare(api.cluster(), newest, [])
    api.down = 0
    assert manifests(api) == [manifest]


def test_a_first_deploy_has_nothing_to_take_out(api: ObjectApi) -> None:
    prepare(api, deployment("shop-web"))
    assert api.asked == []


def test_a_release_is_removed_from_a_cluster_that_lost_its_kinds(api: ObjectApi) -> None:
    items = custom("cert-manager.io/v1", "Certificate"), custom("traefik.io/v1alpha1", "Middleware")
    revise(api, 1, "deployed", with_custom(*items))
    serves(api, "traefik.io/v1alpha1", "Middleware")
    records.forget_unknown(api.cluster(), "shop", "default")
    kinds = [item["kind"] for item in manifest_objects(manifests(api)[0])]
    assert kinds == ["Deployment", "Deployment", "Middleware"]


def test_a_release_of_common_kinds_asks_nothing_more(api: ObjectApi) -> None:
    revise(api, 1, "deployed", OURS)
    records.forget_unknown(api.cluster(), "shop", "default")
    assert not [path for _, path, _ in api.asked if path.startswith("/apis/")]
    records.forget_unknown(api.cluster(), "other", "default")
