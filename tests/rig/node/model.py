"""The addresses of the rig's Kubernetes and the shape of one node in it.

The API server and every node live on one bridge of the host. Today's only node is the host itself; another one is a
network namespace with a leg on the bridge, and differs in nothing but the fields of `Node`.
"""

from dataclasses import dataclass
from pathlib import Path

from rig.paths import STATE

BRIDGE = "rig0"
BRIDGE_ADDRESS = "10.144.0.1"
BRIDGE_RANGE = "10.144.0.0/24"
POD_RANGE = "10.142.0.0/16"
SERVICE_RANGE = "10.143.0.0/16"
SERVICE_ADDRESS = "10.143.0.1"
DNS_ADDRESS = "10.143.0.10"
DNS_DOMAIN = "cluster.local"
API_PORT = 6443
REGISTRY_PORT = 5000
REGISTRY = f"127.0.0.1:{REGISTRY_PORT}"
DOCKER_SOCKET = Path("/run/docker.sock")
CGROUP = "scheduler-k3s-rig"
INGRESS_ADDRESS = "127.0.0.1"
INGRESS_FOLDER = STATE / "ingress"
INGRESS_LOGS = INGRESS_FOLDER / "log"
INGRESS_HEALTH = "127.0.0.1:10254"
NGINX_HEALTH = "127.0.0.1:10246"
PAUSE_IMAGE = "rig.local/pause:1"


@dataclass(frozen=True)
class Node:
    """A machine of the cluster: its name, its address on the bridge, the range of its pods' addresses."""

    name: str
    address: str
    pod_range: str

    @property
    def root(self) -> Path:
        return STATE / "nodes" / self.name

    @property
    def cgroup(self) -> str:
        return f"{CGROUP}/{self.name}"

    @property
    def containerd_socket(self) -> Path:
        return self.root / "containerd.sock"


HOST = Node(name="node-1", address=BRIDGE_ADDRESS, pod_range="10.142.0.0/24")
