"""Apps whose objects would have the same names, and volume claims that are not there: refused before a change."""

from collections.abc import Iterator

import pytest
from scheduler_k3s.app import App, Mount, Process
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import claims, neighbours
from scheduler_k3s.operations.state import State
from unit.models import shop, web, worker
from unit.object_api import ObjectApi, serve

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as served:
        yield served


def live(app: str, type_: str) -> dict[str, dict[str, str]]:
    return {"labels": {"app.kubernetes.io/part-of": app, "app.kubernetes.io/name": type_}}


def check(api: ObjectApi, model: App, *own: str, exists: bool = True) -> None:
    deployments = tuple({"metadata": {"name": name}} for name in own)
    before = State(namespace_exists=exists, version=(1, 34), deployments=deployments)
    neighbours.check(api.cluster(), model, before)


def test_a_process_that_another_app_has_by_that_name(api: ObjectApi) -> None:
    api.put(f"{DEPLOYMENTS}/shop-worker", metadata=live("sh", "op-worker"))
    api.put(f"{DEPLOYMENTS}/shop-web", metadata=live("shop-web", "x"))
    check(api, shop(web()))
    api.put(f"{DEPLOYMENTS}/shop-a-web", metadata=live("shop-a", "web"))
    model = shop(web(), worker())
    check(api, model)
    clashing = shop(web(), Process("a-web", 1, "200"))
    with pytest.raises(
        PluginError, match="Process type a-web of shop and process type web of shop-a"
    ) as raised:
        check(api, clashing)
    assert "dokku scheduler-k3s:set shop namespace NAME" in raised.value.message


def test_what_is_the_app_s_own_is_not_asked_about(api: ObjectApi) -> None:
    check(api, shop(web(), worker()), "shop-web", "shop-worker")
    check(api, shop(web()), exists=False)
    assert api.asked == []


def test_a_claim_that_is_not_there(api: ObjectApi) -> None:
    model = shop(mounts=[Mount("data", "/a"), Mount("data", "/b"), Mount("other", "/c")])
    api.put(f"{CLAIMS}/data")
    with pytest.raises(
        PluginError, match="Storage entry other of shop has no volume claim in namespace default"
    ):
        claims.check(api.cluster(), model)
    api.put(f"{CLAIMS}/other")
    claims.check(api.cluster(), model)
    assert len(api.asked) == 4
