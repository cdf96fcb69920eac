"""What is read of KEDA before a deploy."""

from collections.abc import Iterator

import pytest
from scheduler_k3s.operations import keda
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA, Keda
from scheduler_k3s.tools.cluster import ApiError
from unit.object_api import ObjectApi, serve

SCALED = "/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects"
EVERYWHERE = "/apis/keda.sh/v1alpha1/clustertriggerauthentications"
PART_OF = {"app.kubernetes.io/part-of": "shop"}
PAUSED = "autoscaling.keda.sh/paused-replicas"


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
