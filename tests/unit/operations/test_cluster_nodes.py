"""cluster:add and cluster:remove up to the first ssh call: what is refused, in which order; and cluster:list."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.joining import Host as Facts
from scheduler_k3s.nodes import Node
from scheduler_k3s.operations import (
    candidate,
    cluster_add,
    cluster_list,
    cluster_remove,
    server_address,
    target,
)
from scheduler_k3s.operations.cluster_add import Wish
from scheduler_k3s.remote_host import RemoteHost
from scheduler_k3s.tools import k3s
from unit.dokku_host import Host
from unit.object_api import ObjectApi, serve

URL = "ssh://root@10.0.0.6"
PLACE = RemoteHost("root", "10.0.0.6", 22)
NODES = "/api/v1/nodes"


@pytest.fixture
def api(dokku: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    """This host runs k3s, as far as files and the API tell."""
    binary = dokku.lib / "k3s"
    binary.touch()
    with serve() as api:
        api.groups["/version"] = {"major": "1", "minor": "34"}
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": api.url}}],
            "users": [{"name": "u", "user": {}}],
        }
        path = dokku.lib / "k3s.yaml"
        path.write_text(json.dumps(config))
        monkeypatch.setattr(k3s, "BINARY", str(binary))
        monkeypatch.setattr(target, "DEFAULT_KUBECONFIG", str(path))
        dokku.store("--global", "kubeconfig-path", str(path))
        dokku.store("--global", "token", "canary")
        yield api


def node(name: str, *roles: str, ready: bool = True, url: str = "", address: str = "") -> dict[str, Any]:
    return {
        "metadata": {
            "labels": {f"node-role.kubernetes.io/{role}": "true" for role in roles},
            "annotations": {"dokku.com/remote-host": url} if url else {},
        },
        "status": {
            "nodeInfo": {"kubeletVersion": "v1.34.4+k3s1"},
            "conditions": [
                {"type": "Ready", "status": str(ready), "reason": "Lost", "message": "kubelet is away"}
            ],
            "addresses": [{"type": "InternalIP", "address": address}] if address else [],
        },
    }


def refusal(wish: Wish) -> str:
    with pytest.raises(PluginError) as raised:
        cluster_add.add(wish)
    return raised.value.message


def test_without_k3s_nothing_else_is_looked_at(dokku: Host, api: ObjectApi) -> None:
    (dokku.lib / "k3s").unlink()
    expected = "k3s not installed, cannot add node to cluster: k3s binary is not available"
    assert refusal(Wish("nonsense", role="other")) == expected
    (dokku.lib / "k3s").touch()
    (dokku.lib / "k3s.yaml").unlink()
    assert refusal(Wish(URL)).endswith(": k3s kubeconfig is not available")


def test_a_cluster_of_somebody_else_is_not_changed(dokku: Host, api: ObjectApi) -> None:
    other = dokku.lib / "other.yaml"
    other.write_text((dokku.lib / "k3s.yaml").read_text())
    dokku.store("--global", "kubeconfig-path", str(other))
    assert "a cluster that this host does not look after" in refusal(Wish(URL))
    with pytest.raises(
        PluginError, match=r"^k3s not installed, cannot remove node from cluster: kubeconfig-path is"
    ):
        cluster_remove.remove("a", force=True)


def test_refusals_in_their_order(dokku: Host, api: ObjectApi) -> None:
    bad = Wish("nonsense", role="other", profile="none", taint_scheduling=True, kubelet_args=["x"])
    api.down = 503
    assert refusal(bad).startswith("kubernetes api not available, cannot add node to cluster: ")
    api.down = 0
    assert refusal(bad) == "Node profile none not found"
    bad = bad._replace(profile="")
    assert refusal(bad) == "Invalid role: other"
    bad = bad._replace(role="")
    token = dokku.store("--global", "token", "")
    assert refusal(bad).startswith("Missing k3s token")
    token.write_text("canary")
    assert refusal(bad) == "Taint scheduling can only be used on the server role"
    assert refusal(bad._replace(role="server")).startswith("Invalid kubelet-args: x, must be key=value")
    bad = Wish("nonsense")
    assert refusal(bad).startswith("missing remote host ssh scheme in remote host: nonsense,")
    assert "canary" not in refusal(bad._replace(url="ssh://root:canary@host"))
    timeout = dokku.store("--global", "deploy-timeout", "soon")
    assert refusal(Wish(URL)).startswith("Invalid deploy-timeout: soon, ")
    timeout.write_text("60s")
    dokku.store("--global", "network-interface", "nope0")
    assert refusal(Wish(URL)).startswith(
        "Unable to get server ip address: Unable to determine server ip address from network-interface nope0"
    )
    assert refusal(Wish(URL, server_ip="10.0.0.5")).startswith("ssh key not found at ~/.ssh/id_ed25519")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (Wish(URL, profile="big"), ("server", True, True, ("v=2",))),
        (Wish(URL, profile="big", kubelet_args=["v=3"]), ("server", True, True, ("v=3",))),
        (Wish(URL, profile="plain", role="server", taint_scheduling=True), ("server", False, True, ())),
        (Wish(URL, profile="plain", allow_unknown_hosts=True), ("worker", True, False, ())),
        (Wish(URL), ("worker", False, False, ())),
    ],
)
def test_what_was_typed_counts_and_then_the_profile(
    dokku: Host, typed: Wish, expected: tuple[str, bool, bool, tuple[str, ...]]
) -> None:
    dokku.store("--global", "token", "canary")
    big = {
        "name": "big",
        "role": "server",
        "allow_unknown_hosts": True,
        "taint_scheduling": True,
        "kubelet_args": ["v=2"],
    }
    dokku.store("--global", "node-profile-big.json", json.dumps(big))
    dokku.store("--global", "node-profile-plain.json", '{"name":"plain","role":"worker"}')
    found = cluster_add.settled(typed)
    assert (
        found.role,
        found.allow_unknown_hosts,
        found.taint_scheduling,
        tuple(found.kubelet_args),
    ) == expected


def test_a_role_typed_wins_over_the_profile_s_and_must_fit_its_taint(dokku: Host) -> None:
    dokku.store("--global", "token", "canary")
    dokku.store("--global", "node-profile-big.json", '{"name":"big","role":"server","taint_scheduling":true}')
    with pytest.raises(PluginError, match=r"^Taint scheduling can only be used on the server role$"):
        cluster_add.settled(Wish(URL, profile="big", role="worker"))


def facts(name: str = "here") -> Facts:
    return Facts(
        ("debian",), "x86_64", True, False, 0, "k3s-agent", "", name, "a" * 64, "10.0.0.6", "eth0", {}
    )


def as_node(name: str, *roles: str, url: str = "", address: str = "") -> Node:
    item = node(name, *roles, url=url, address=address)
    return Node({**item, "metadata": {"name": name, **item["metadata"]}})


def test_which_node_a_host_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_address, "interfaces", lambda: {"eth0": ["10.0.0.5"]})

    def known(*found: Node, role: str = "worker", host: Facts = facts()) -> "Node | None":  # noqa: B008
        return candidate.known(host, PLACE, found, role, "a" * 64)

    here = as_node("here", address="10.0.0.6")
    assert known(here, as_node("other", url="ssh://root@10.0.0.7")) is here
    assert known(as_node("other")) is None
    assert known(here, host=facts()._replace(unit="", authority="")) is None
    assert known(here, host=facts()._replace(authority="b" * 64)) is None
    same = as_node("here", url="ssh://ROOT@10.0.0.6:22")
    with pytest.raises(PluginError, match=r"10.0.0.6 is this host itself, node here"):
        known(as_node("here", "control-plane", address="10.0.0.5"), role="server")
    with pytest.raises(
        PluginError, match=r"is in this cluster as a server, here\. To make it a worker, remove it"
    ):
        known(as_node("here", "control-plane", address="10.0.0.6"))
    with pytest.raises(
        PluginError, match=r"gone was joined from ssh://root@10.0.0.6 .*cluster:remove gone --force"
    ):
        known(here, as_node("gone", url="ssh://root@10.0.0.6"))
    assert known(same) is same


def test_the_list_in_both_forms(api: ObjectApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.groups[NODES] = {"items": []}
    cluster_list.show("stdout")
    cluster_list.show("json")
    assert capsys.readouterr().out == "name  ready  roles  version\n[]\n"
    api.groups[NODES] = {
        "items": [
            {**item, "metadata": {"name": name, **item["metadata"]}}
            for name, item in (
                ("b", node("b", ready=False, url=URL)),
                ("a", node("a", "etcd", "control-plane")),
            )
        ]
    }
    cluster_list.show("stdout")
    assert capsys.readouterr().out == (
        "name  ready  roles               version\n"
        "a     true   control-plane,etcd  v1.34.4+k3s1\n"
        "b     false                      v1.34.4+k3s1\n"
    )
    cluster_list.show("json")
    assert json.loads(capsys.readouterr().out)[1] == {
        "Name": "b",
        "Roles": [],
        "Ready": False,
        "RemoteHost": URL,
        "Version": "v1.34.4+k3s1",
    }
    api.down = 503
    with pytest.raises(PluginError, match=r"^kubernetes api not available, cannot list cluster nodes: "):
        cluster_list.show("json")
    with pytest.raises(PluginError, match=r"^Invalid format: yaml$"):
        cluster_list.show("yaml")


@pytest.mark.parametrize(
    ("name", "item", "message"),
    [
        ("", None, "Unable to get node: node name is required"),
        ("gone", None, "Unable to get node: "),
        ("first", node("first", "control-plane"), "Node first is not a remote node managed by Dokku"),
        ("last", node("last", "control-plane", url=URL), "would break the cluster: last is the last server"),
        ("w", node("w", ready=False, url=URL), "w is not Ready, so its pods cannot move in order: Lost: "),
        ("w", node("w", url=URL), "ssh key not found at"),
    ],
)  # fmt: skip
def test_what_may_not_be_removed(
    api: ObjectApi, name: str, item: dict[str, Any] | None, message: str
) -> None:
    if item:
        api.put(f"{NODES}/{name}", **item)
        api.groups[NODES] = {"items": [api.objects[f"{NODES}/{name}"]]}
    api.groups["/api/v1/pods"] = {"items": []}
    with pytest.raises(PluginError) as raised:
        cluster_remove.remove(name, force=False)
    assert message in raised.value.message
    assert all(method == "GET" for method, *_ in api.asked)
