"""What k3s reads on each kind of node."""

import hashlib
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from scheduler_k3s import k3s_config
from scheduler_k3s.k3s_config import Config, Node
from scheduler_k3s.secret import Secret

TOKEN, AGENT = Secret("server-secret"), Secret("agent-secret")
NODE = Node("ip-10-0-0-5-0123456789", "10.0.0.5", "ens3")
FLAGS_OF_AGENTS = {"server", "token", "node-name", "node-ip", "flannel-iface", "node-taint", "kubelet-arg"}


def load(config: Config) -> dict[str, Any]:
    text = k3s_config.render(config).reveal()
    assert text.startswith(k3s_config.MARK)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_first_server() -> None:
    assert load(k3s_config.first_server(NODE, TOKEN, AGENT, ["dokku.example.com", "10.0.0.5"])) == {
        "cluster-init": True,
        "token": "server-secret",
        "agent-token": "agent-secret",
        "node-name": "ip-10-0-0-5-0123456789",
        "node-ip": "10.0.0.5",
        "flannel-iface": "ens3",
        "advertise-address": "10.0.0.5",
        "tls-san": ["10.0.0.5", "dokku.example.com"],
        "disable": ["local-storage", "traefik"],
        "flannel-backend": "wireguard-native",
        "kube-controller-manager-arg": ["terminated-pod-gc-threshold=10"],
        "write-kubeconfig-mode": "0640",
        "write-kubeconfig-group": "dokku",
    }


def test_without_an_address_k3s_finds_its_own() -> None:
    found = load(k3s_config.first_server(Node("a"), TOKEN, AGENT))
    assert not {"node-ip", "advertise-address", "flannel-iface", "tls-san"} & set(found)


def test_joining_servers_agree_with_the_first_in_what_must_be_equal() -> None:
    first = load(k3s_config.first_server(NODE, TOKEN, AGENT))
    other = Node("b", "10.0.0.6", "eth0")
    joined = load(k3s_config.joining_server(other, "https://10.0.0.5:6443", TOKEN, AGENT))
    assert {key: joined[key] for key in ("disable", "flannel-backend", "agent-token")} == {
        key: first[key] for key in ("disable", "flannel-backend", "agent-token")
    }
    assert (joined["server"], joined["node-ip"]) == ("https://10.0.0.5:6443", "10.0.0.6")
    assert "cluster-init" not in joined
    assert (joined["write-kubeconfig-mode"], "write-kubeconfig-group" in joined) == ("0600", False)


def test_a_cluster_without_agent_token_gets_none() -> None:
    assert "agent-token" not in load(k3s_config.joining_server(NODE, "https://a:6443", TOKEN, Secret("")))


def test_agents_have_no_flags_of_servers() -> None:
    node = NODE._replace(tainted=True, kubelet_args=["max-pods=5"])
    assert set(load(k3s_config.agent(node, "https://a:6443", AGENT))) == FLAGS_OF_AGENTS


def test_taint_and_kubelet_arguments() -> None:
    arguments = ["eviction-hard=memory.available<200Mi,nodefs.available<10%", "max-pods=50"]
    found = load(k3s_config.first_server(NODE._replace(tainted=True, kubelet_args=arguments), TOKEN, AGENT))
    assert found["node-taint"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert found["kubelet-arg"] == arguments


@example(["\x85", "\u2028a", "\ufeff", "\x7f", "\U0001f600"])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=3))
def test_no_text_is_taken_for_something_else(texts: list[str]) -> None:
    found = load(k3s_config.agent(Node("a", kubelet_args=texts), "https://a:6443", AGENT))
    assert found.get("kubelet-arg", []) == texts


@pytest.mark.parametrize("text", ["0123", "1e3", "null", "# x", "a: b", "on"])
def test_a_token_stays_text(text: str) -> None:
    assert load(k3s_config.agent(Node("a"), "https://a:6443", Secret(text)))["token"] == text


def test_the_rendered_file_is_a_secret() -> None:
    assert str(k3s_config.render(k3s_config.agent(NODE, "https://a:6443", AGENT))) == "***"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.5", "ip-10-0-0-5-9f3a1c07be"),
        ("worker-1.example.com", "ip-worker-1-example-com-9f3a1c07be"),
        ("fd00::5", "ip-fd00--5-9f3a1c07be"),
        ("Under_Score.", "ip-under-score-9f3a1c07be"),
        ("a" * 80, f"ip-{'a' * 49}-9f3a1c07be"),
        ("", "ip-9f3a1c07be"),
    ],
)
def test_node_names(host: str, name: str) -> None:
    assert k3s_config.node_name(host, "9f3a1c07be") == name
    assert len(name) <= 63


@given(st.text(max_size=90))
def test_node_names_are_labels(host: str) -> None:
    from scheduler_k3s.values import is_label

    assert is_label(k3s_config.node_name(host, "0123456789"))


def test_server_urls() -> None:
    assert k3s_config.server_url("10.0.0.5") == "https://10.0.0.5:6443"
    assert k3s_config.server_url("fd00::5") == "https://[fd00::5]:6443"


@pytest.mark.parametrize(
    ("secret", "password"),
    [("abc", "abc"), ("a:b::c", "a:b::c"), ("K10aa::server:abc", "abc"), ("K10aa::abc", "abc")],
)
def test_join_tokens_pin_the_authority(secret: str, password: str) -> None:
    digest = hashlib.sha256(b"PEM\n").hexdigest()
    assert k3s_config.join_token("PEM\n", Secret(secret)).reveal() == f"K10{digest}::server:{password}"
    assert k3s_config.join_token("PEM\n", Secret(secret), "node").reveal() == f"K10{digest}::node:{password}"
