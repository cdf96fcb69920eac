"""What a node is, which version joining ones get, and which servers a cluster can lose."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import nodes
from scheduler_k3s.errors import PluginError
from scheduler_k3s.nodes import Node


def node(
    name: str = "a",
    *roles: str,
    ready: bool = True,
    version: str = "v1.34.4+k3s1",
    labels: "dict[str, str] | None" = None,
) -> Node:
    item: dict[str, Any] = {
        "metadata": {
            "name": name,
            "labels": {**{f"node-role.kubernetes.io/{role}": "true" for role in roles}, **(labels or {})},
        },
        "status": {
            "nodeInfo": {"kubeletVersion": version},
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": str(ready), "message": "why"},
            ],
        },
    }
    return Node(item)


def servers(*ready: bool) -> list[Node]:
    return [
        node(f"s{number}", "control-plane", "etcd", ready=state, version="v1.34.4+k3s1")
        for number, state in enumerate(ready)
    ]


def test_a_password_that_the_earlier_scheduler_noted_goes_nowhere() -> None:
    item = {"metadata": {"name": "w1", "annotations": {nodes.REMOTE_HOST: "ssh://root:canary@10.0.0.6:22"}}}
    assert Node(item).remote_host == "ssh://root@10.0.0.6:22"


def test_a_node_that_has_told_nothing_yet() -> None:
    bare = Node({"metadata": {"name": "new"}})
    assert (bare.is_ready, bare.roles, bare.version, bare.remote_host) == (False, [], "", "")
    assert bare.reason == "it has not reported yet"


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        ({"node-role.kubernetes.io/z": "true", "node-role.kubernetes.io/a": "true"}, "a,z"),
        ({"node-role.kubernetes.io/worker": "worker"}, "worker"),
        ({"node-role.kubernetes.io/gpu": "false", "node-role.kubernetes.io/": "true", "other": "true"}, ""),
        ({"kubernetes.io/role": "agent", "node-role.kubernetes.io/worker": "true"}, "agent"),
        ({"kubernetes.io/role": "", "node-role.kubernetes.io/x": "true"}, "x"),
    ],
)  # fmt: skip
def test_roles(labels: dict[str, str], roles: str) -> None:
    assert ",".join(node(labels=labels).roles) == roles


def test_joining_nodes_get_the_lowest_version_of_the_servers() -> None:
    found = [
        node("a", "control-plane", version="v1.34.10+k3s1"),
        node("b", "control-plane", version="v1.34.9+k3s2"),
        node("c", version="v1.20.0+k3s1"),
        node("d", "control-plane", version="unknown"),
    ]
    assert nodes.oldest_version(found) == "v1.34.9+k3s2"


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "no nodes found in the cluster"),
        ([node("a")], "no nodes found in the cluster"),
        ([node("a", "control-plane", version="x")], "no valid kubelet versions found"),
    ],
)
def test_no_version(found: list[Node], message: str) -> None:
    with pytest.raises(PluginError, match=f"^Unable to get lowest node version: {message}"):
        nodes.oldest_version(found)


@pytest.mark.parametrize(
    ("ready", "risk"),
    [
        ((True,), "s0 is the last server of the cluster"),
        ((True, True), ""),
        ((False, True), "1 of 2 servers are ready, and etcd needs 2 to agree"),
        ((True, False), "1 of 2 servers are ready, and etcd needs 2 to agree"),
        ((True, True, True), ""),
        ((False, True, True), ""),
        ((True, True, False), "1 of 2 servers would be ready without it, and etcd needs 2 (not: s2)"),
        ((True, True, True, False), ""),
        ((False, True, True, True, False), ""),
        ((True, True, True, False, False), "2 of 4 servers would be ready without it, and etcd needs 3 (not: s3, s4)"),
    ],
)  # fmt: skip
def test_which_server_can_go(ready: tuple[bool, ...], risk: str) -> None:
    found = servers(*ready)
    assert nodes.quorum_risk(found[0], [*found, node("w")]) == risk


def test_workers_can_always_go() -> None:
    assert nodes.quorum_risk(node("w"), [*servers(True, False), node("w")]) == ""


@given(st.lists(st.booleans(), min_size=2, max_size=9))
def test_without_risk_a_majority_is_left(ready: list[bool]) -> None:
    found = servers(*ready)
    if not nodes.quorum_risk(found[0], found):
        left = ready[1:]
        assert sum(left) > len(left) / 2
