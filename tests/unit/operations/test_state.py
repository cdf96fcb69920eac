"""What is read of an app's cluster before a deploy, and what is made of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from scheduler_k3s.operations import state
from scheduler_k3s.operations.state import State
from scheduler_k3s.tools.cluster import ApiError
from unit.helm_records import content, record
from unit.object_api import ObjectApi, serve

Object = dict[str, Any]
CORE = "/api/v1/namespaces/prod"
DEPLOYMENTS = "/apis/apps/v1/namespaces/prod/deployments"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/prod/ingresses"
PART_OF = {"app.kubernetes.io/part-of": "shop"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    monkeypatch.delenv("HELM_DRIVER", raising=False)
    with serve() as served:
        served.groups["/version"] = {"major": "1", "minor": "34"}
        served.put("/api/v1/namespaces/prod")
        yield served


def revise(api: ObjectApi, name: str, revision: int, status: str) -> None:
    item = record(content(revision, status, name=name), revision=revision, status=status)
    labels = {**item["metadata"]["labels"], "name": name}
    path = f"{CORE}/secrets/sh.helm.release.v1.{name}.v{revision}"
    api.put(path, **{**item, "metadata": {"labels": labels}})


def test_a_namespace_that_is_not_there(api: ObjectApi) -> None:
    del api.objects["/api/v1/namespaces/prod"]
    assert state.read(api.cluster(), "shop", "prod") == State(namespace_exists=False, version=(1, 34))


def test_a_new_app(api: ObjectApi) -> None:
    assert state.read(api.cluster(), "shop", "prod") == State(namespace_exists=True, version=(1, 34))


def test_an_app_that_is_there(api: ObjectApi) -> None:
    revise(api, "shop", 1, "deployed")
    revise(api, "shop", 2, "failed")
    revise(api, "config-shop", 7, "deployed")
    revise(api, "other", 1, "deployed")
    api.put(
        f"{DEPLOYMENTS}/shop-web",
        metadata={"labels": PART_OF},
        spec={"selector": {"matchLabels": {"a": "b"}}},
    )
    api.put(f"{DEPLOYMENTS}/other-web", metadata={"labels": {}}, spec={})
    found = state.read(api.cluster(), "shop", "prod")
    assert found.newest is not None
    assert (found.newest.revision, found.newest.status, found.deployed) == (2, "failed", True)
    assert {name: release.revision for name, release in found.auxiliary.items()} == {"config-shop": 7}
    assert [item["metadata"]["name"] for item in found.deployments] == ["shop-web"]


def test_an_app_of_which_nothing_ever_came_up(api: ObjectApi) -> None:
    revise(api, "shop", 1, "failed")
    assert state.read(api.cluster(), "shop", "prod").deployed is False


@pytest.mark.parametrize(
    ("minor", "version", "knows"),
    [("34", (1, 34), True), ("30", (1, 30), True), ("29+", (1, 29), False), ("27-eks", (1, 27), False)],
)
def test_versions(api: ObjectApi, minor: str, version: tuple[int, int], knows: bool) -> None:
    api.groups["/version"] = {"major": "1", "minor": minor}
    found = state.read(api.cluster(), "shop", "prod")
    assert (found.version, found.knows_sleep) == (version, knows)


def deployed(name: str, labels: Object, **metadata: Any) -> Object:
    return {
        "metadata": {"name": name, "labels": {}, **metadata},
        "spec": {"selector": {"matchLabels": labels}},
    }


def test_selectors_are_found_by_the_name_of_the_deployment() -> None:
    """A user may have replaced any label."""
    found = State(
        True, (1, 34), deployments=(deployed("shop-web", {"a": "1"}), deployed("shop-my-worker", {"b": "2"}))
    )
    assert found.selectors("shop") == {"web": {"a": "1"}, "my-worker": {"b": "2"}}


def test_deployments_on_their_way_out_are_named() -> None:
    leaving = deployed("shop-web", {}, deletionTimestamp="2026-01-01T00:00:00Z")
    assert State(True, (1, 34), deployments=(leaving, deployed("shop-x", {}))).leaving() == ["shop-web"]


def ingress(api: ObjectApi, name: str, annotations: Object, instance: str = "shop-web") -> None:
    labels = {"app.kubernetes.io/instance": instance}
    api.put(
        f"{INGRESSES}/{name}",
        metadata={"namespace": "prod", "labels": labels, "annotations": annotations},
    )


def test_only_the_release_s_own_old_ingresses_go(api: ObjectApi) -> None:
    ours = {"meta.helm.sh/release-name": "shop"}
    ingress(api, "old", ours)
    ingress(api, "new", {**ours, "dokku.com/ingress-method": "domains"})
    ingress(api, "hand-made", {})
    ingress(api, "of-another", {"meta.helm.sh/release-name": "other"})
    ingress(api, "of-another-process", ours, instance="shop-api")
    found = state.legacy_ingresses(api.cluster(), "shop", "prod")
    assert [item["metadata"]["name"] for item in found] == ["old"]
    assert state.ingress_path(found[0]) == f"{INGRESSES}/old"


def test_a_namespace_is_made_with_dokku_s_mark_and_never_changed(api: ObjectApi) -> None:
    state.ensure_namespace(api.cluster(), "new")
    made = api.objects["/api/v1/namespaces/new"]["metadata"]
    assert made["labels"] == made["annotations"] == {"dokku.com/managed": "true"}
    before = dict(api.objects["/api/v1/namespaces/prod"])
    state.ensure_namespace(api.cluster(), "prod")
    assert api.objects["/api/v1/namespaces/prod"] == before


def test_a_namespace_that_may_not_be_made(api: ObjectApi) -> None:
    api.refusal = lambda method, item: "not allowed"
    with pytest.raises(ApiError, match="not allowed"):
        state.ensure_namespace(api.cluster(), "new")
