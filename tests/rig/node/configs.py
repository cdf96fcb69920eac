"""Configuration files of a node's parts, from the node's own facts."""

import json
from pathlib import Path
from typing import Any

from rig.node.certificates import PKI
from rig.node.model import (
    BRIDGE_ADDRESS,
    DNS_ADDRESS,
    DNS_DOMAIN,
    PAUSE_IMAGE,
    POD_RANGE,
    REGISTRY,
    REGISTRY_PORT,
    Node,
)
from rig.paths import STATE

CNI_NAME = "scheduler-k3s-rig"
# Two front ends of one storage: nodes in network namespaces do not reach this machine's loopback.
REGISTRIES = {"registry": REGISTRY, "registry-bridge": f"{BRIDGE_ADDRESS}:{REGISTRY_PORT}"}
_KEEP_FREE = "100Mi"


def write(node: Node) -> None:
    """Writes every file that the node's containerd, kubelet and kube-proxy read."""
    root = node.root
    for name in ("cni-state", "kubelet", "pod-logs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    _write(root / "resolv.conf", "options ndots:5\n")
    _write(root / "containerd.toml", containerd(node))
    _write(root / "cni" / "10-rig.conflist", json.dumps(cni(node), indent=2))
    _write(root / "kubelet.json", json.dumps(kubelet(node), indent=2))
    _write(root / "kube-proxy.json", json.dumps(kube_proxy(node), indent=2))
    for address in REGISTRIES.values():
        text = f'server = "http://{address}"\n[host."http://{address}"]\n'
        _write(root / "certs.d" / address / "hosts.toml", text)


def _write(path: Path, text: str) -> None:
    """Leaves a file that is right untouched: kube-proxy ends itself when its own is written."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def containerd(node: Node) -> str:
    """`restrict_oom_score_adj`: without CAP_SYS_RESOURCE no pod sandbox could lower its score, and none would start.

    The network namespaces lie under the state folder, so that nothing is mounted outside of it.
    """
    root = node.root
    return f"""\
version = 2
root = "{root}/containerd"
state = "{root}/containerd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{node.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{root}/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{root}/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{root}/certs.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"""


def cni(node: Node) -> dict[str, Any]:
    """A point-to-point link per pod: every packet passes the host's routing, as services need it.

    (On a bridge, pods of one node would talk past the services' address translation where the kernel lacks
    br_netfilter.) Nothing is masqueraded: pods reach the cluster and this machine, and nothing outside.
    """
    addresses = {
        "type": "host-local",
        "dataDir": str(node.root / "cni-state"),
        "ranges": [[{"subnet": node.pod_range}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    links = {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": addresses}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": CNI_NAME, "plugins": [links, ports]}


def kubelet(node: Node) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "healthzBindAddress": node.address,
        "authentication": {
            "x509": {"clientCAFile": str(PKI / "ca.crt")},
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(PKI / f"kubelet-{node.name}-serving.crt"),
        "tlsPrivateKeyFile": str(PKI / f"kubelet-{node.name}-serving.key"),
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DNS_DOMAIN,
        "resolvConf": str(node.root / "resolv.conf"),
        "podLogsDir": str(node.root / "pod-logs"),
        "volumePluginDir": str(node.root / "volume-plugins"),
        "containerLogMaxSize": "256Mi",
        "maxPods": 250,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": _KEEP_FREE,
            "nodefs.available": _KEEP_FREE,
            "imagefs.available": _KEEP_FREE,
            "nodefs.inodesFree": "1%",
            "imagefs.inodesFree": "1%",
        },
        "nodeStatusUpdateFrequency": "5s",
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
    }


def kube_proxy(node: Node) -> dict[str, Any]:
    """The zeros leave the machine's conntrack limits as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(PKI / "kube-proxy.kubeconfig")},
        "hostnameOverride": node.name,
        "mode": "iptables",
        "nodePortAddresses": ["primary"],
        "clusterCIDR": POD_RANGE,
        "healthzBindAddress": f"{node.address}:10256",
        "metricsBindAddress": f"{node.address}:10249",
        "iptables": {"localhostNodePorts": False, "minSyncPeriod": "200ms"},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def write_registries() -> None:
    """docker-registry wants its configuration as a file; JSON is YAML enough."""
    for name, address in REGISTRIES.items():
        _write(registry_file(name), json.dumps(registry(address), indent=2))


def registry_file(name: str) -> Path:
    return STATE / "registry" / f"{name}.json"


def registry(address: str) -> dict[str, Any]:
    return {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(STATE / "registry" / "storage")},
            "delete": {"enabled": True},
        },
        "http": {"addr": address},
    }
