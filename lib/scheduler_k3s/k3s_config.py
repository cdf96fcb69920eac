"""The k3s settings of each kind of node, as /etc/rancher/k3s/config.yaml holds them.

In a file of mode 0600 the token is in no argument list and no unit file. All keys are k3s' own flags. What must
be equal on all servers (`disable`, `flannel-backend`, `agent-token`) stands in `_server` alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scheduler_k3s import values
from scheduler_k3s.secret import Secret

DIRECTORY = "/etc/rancher/k3s"
PATH = f"{DIRECTORY}/config.yaml"
MARK = (
    "# Written by dokku's scheduler-k3s. Settings of your own belong into config.yaml.d/*.yaml beside it.\n"
)
"""The first line: a file without it is somebody else's."""

TAINT = "CriticalAddonsOnly=true:NoSchedule"
LOAD_BALANCER = ("svccontroller.k3s.cattle.io/enablelb", "true")
"""Label of every server: once a node has it, only nodes with it carry load-balancer pods."""
WORKER = ("node-role.kubernetes.io/worker", "worker")

_DISABLED = ("local-storage", "traefik")
"""Longhorn and a chart of ours take their places."""
_ESCAPED = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}
_LONGEST = 63
_LETTERS = values.ALNUM | {"-"}

Config = Mapping[str, str | bool | Secret | Sequence[str]]


class Node(NamedTuple):
    """`address` and `interface` may be empty: k3s then finds its own. `kubelet_args` are key=value."""

    name: str
    address: str = ""
    interface: str = ""
    tainted: bool = False
    kubelet_args: Sequence[str] = ()


def node_name(host: str, suffix: str) -> str:
    """A name that is also a valid hostname label: `ip-10-0-0-5-9f3a1c07be`. `suffix` makes it unique."""
    plain = "".join(letter if letter in _LETTERS else "-" for letter in host.lower()).strip("-")
    room = _LONGEST - len(f"ip--{suffix}")
    return "-".join(filter(None, ("ip", plain[:room].strip("-"), suffix)))


def server_url(host: str) -> str:
    """Where joining nodes find a server; `host` is a name or an address."""
    return f"https://[{host}]:6443" if ":" in host else f"https://{host}:6443"


def join_token(authority: str, secret: Secret, user: str = "server") -> Secret:
    """The full token: it pins the cluster's CA (its PEM), where the short one trusts whatever answers.

    `user` is `server` for the server token and `node` for the agent token. `secret` may be a full token already.
    """
    text = secret.reveal()
    if text.startswith("K10") and "::" in text:
        text = text.partition("::")[2].rpartition(":")[2]
    return Secret(f"K10{digest(authority)}::{user}:{text}")


def digest(authority: str) -> str:
    """By which a full token names the cluster's CA, a PEM text."""
    return hashlib.sha256(authority.encode()).hexdigest()


def first_server(
    node: Node, token: Secret, agent_token: Secret, names: Sequence[str] = (), group: str = "dokku"
) -> Config:
    """`names` are further names and addresses under which the API is reached. `group` may read the kubeconfig."""
    readable = {"write-kubeconfig-mode": "0640", "write-kubeconfig-group": group}
    return {"cluster-init": True, **_server(node, token, agent_token, names), **readable}


def joining_server(
    node: Node, server: str, token: Secret, agent_token: Secret, names: Sequence[str] = ()
) -> Config:
    """`server` is a URL, `token` a full server token. `agent_token` is empty where the first server has none."""
    kubeconfig = {"write-kubeconfig-mode": "0600"}
    return {"server": server, **_server(node, token, agent_token, names), **kubeconfig}


def agent(node: Node, server: str, token: Secret) -> Config:
    """A worker. Flags of servers are unknown to agents. `token` is a full agent token."""
    return {"server": server, "token": token, **_common(node)}


def render(config: Config) -> Secret:
    """The file's text. Every value is a JSON string, which YAML never takes for something else."""
    return Secret(MARK + "".join(_entry(key, value) for key, value in config.items()))


def quoted(value: str | bool) -> str:
    """As JSON, which is YAML too once what YAML takes for breaks or refuses is escaped."""
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)


def _server(node: Node, token: Secret, agent_token: Secret, names: Sequence[str]) -> Config:
    address = {"advertise-address": node.address} if node.address else {}
    reached = [name for name in dict.fromkeys((node.address, *names)) if name]
    return {
        "token": token,
        **({"agent-token": agent_token} if agent_token else {}),
        **_common(node),
        **address,
        **({"tls-san": reached} if reached else {}),
        "disable": _DISABLED,
        "flannel-backend": "wireguard-native",
        "kube-controller-manager-arg": ["terminated-pod-gc-threshold=10"],
    }


def _common(node: Node) -> Config:
    optional: Config = {
        "node-ip": node.address,
        "flannel-iface": node.interface,
        "node-taint": [TAINT] if node.tainted else [],
        "kubelet-arg": list(node.kubelet_args),
    }
    return {"node-name": node.name, **{key: value for key, value in optional.items() if value}}


def _entry(key: str, value: str | bool | Secret | Sequence[str]) -> str:
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, (str, bool)):
        return f"{key}: {quoted(value)}\n"
    return f"{key}:\n" + "".join(f"  - {quoted(item)}\n" for item in value)
