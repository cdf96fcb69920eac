"""Waiting for a node: what counts as serving, what is said meanwhile, and what when it never does."""

import threading
from collections.abc import Iterator

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import node_wait
from scheduler_k3s.tools.cluster import Cluster
from unit.dokku_host import Host
from unit.object_api import ObjectApi, serve

NODE = "/api/v1/nodes/ip-10-0-0-5"
READY = {"conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}]}
UNREADY = {
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "KubeletNotReady",
            "message": "cni plugin not initialized",
        }
    ]
}


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as found:
        found.groups["/readyz"] = {}
        yield found


def wait(api: ObjectApi, patience: float) -> Cluster:
    return node_wait.ready(api.cluster, "ip-10-0-0-5", "Unable to find node", patience)


def test_a_ready_node(api: ObjectApi) -> None:
    api.put(NODE, status=READY)
    assert wait(api, 0.0).find(NODE) is not None


def test_a_node_that_becomes_ready(api: ObjectApi) -> None:
    api.put(NODE, status=UNREADY)
    timer = threading.Timer(0.5, lambda: api.put(NODE, status=READY))
    timer.start()
    wait(api, 30.0)


def test_the_api_has_to_be_ready_first(api: ObjectApi) -> None:
    api.put(NODE, status=READY)
    del api.groups["/readyz"]
    with pytest.raises(PluginError, match=r"^Unable to find node. After 0s .*: .*refused to get /readyz"):
        wait(api, 0.0)


def test_existence_is_not_enough(
    api: ObjectApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_wait, "_REPORT", 0.0)
    api.put(NODE, status=UNREADY)
    with pytest.raises(PluginError) as error:
        wait(api, 1.0)
    unready = "Node ip-10-0-0-5 is not Ready: KubeletNotReady: cni plugin not initialized"
    assert error.value.message == f"After 1s (deploy-timeout): {unready}"
    assert f"       {unready} (0s)\n" in capsys.readouterr().out
    api.put(NODE, status={})
    with pytest.raises(PluginError, match=r"has not reported yet$"):
        wait(api, 0.0)


def test_a_node_that_never_appears(api: ObjectApi) -> None:
    with pytest.raises(
        PluginError, match=r"^Unable to find node\. .*: Node ip-10-0-0-5 has not appeared yet$"
    ):
        wait(api, 0.0)


@pytest.mark.parametrize(("status", "is_asked"), [(None, True), (UNREADY, False)])
def test_the_host_is_asked_about_a_node_that_has_not_appeared(
    api: ObjectApi, status: "dict[str, object] | None", is_asked: bool
) -> None:
    if status:
        api.put(NODE, status=status)
    with pytest.raises(PluginError) as error:
        node_wait.ready(api.cluster, "ip-10-0-0-5", "Unable to find node", 0.0, lambda: "401 Unauthorized")
    assert error.value.message.endswith(" (401 Unauthorized)") == is_asked


def test_how_long_a_node_may_take(dokku: Host) -> None:
    assert node_wait.patience() == 300.0
    dokku.store("--global", "deploy-timeout", "2m")
    assert node_wait.patience() == 120.0


def test_a_kubeconfig_that_is_not_there_yet() -> None:
    def unreadable() -> Cluster:
        raise PluginError("kubeconfig /x cannot be used")

    with pytest.raises(PluginError, match=r"^Unable to find node\. .*: kubeconfig /x cannot be used$"):
        node_wait.ready(unreadable, "a", "Unable to find node", 0.0)
