"""The programs of the cluster and of one node: how each is called, and how it shows that it works."""

import sys
from functools import partial
from pathlib import Path

from rig.node import configs, health
from rig.node.certificates import PKI
from rig.node.model import (
    API_PORT,
    BRIDGE_ADDRESS,
    BRIDGE_RANGE,
    CGROUP,
    DNS_DOMAIN,
    DOCKER_SOCKET,
    HOST,
    INGRESS_HEALTH,
    POD_RANGE,
    SERVICE_RANGE,
    Node,
)
from rig.node.processes import Part
from rig.node.versions import program
from rig.paths import STATE, VENV_PYTHON

_ETCD = "http://127.0.0.1:12379"
_ETCD_PEER = "http://127.0.0.1:12380"


def control_plane() -> list[Part]:
    return [_etcd(), _api_server(), _controller_manager(), _scheduler()]


def node_parts(node: Node) -> list[Part]:
    return [_containerd(node), _kubelet(node), _kube_proxy(node)]


def registries() -> list[Part]:
    return [_registry(name, address) for name, address in configs.REGISTRIES.items()]


def _etcd() -> Part:
    """Nothing in it is worth a disk flush: the cluster ends with the machine at the latest."""
    flags = {
        "name": "rig",
        "data-dir": STATE / "etcd",
        "listen-client-urls": _ETCD,
        "advertise-client-urls": _ETCD,
        "listen-peer-urls": _ETCD_PEER,
        "initial-advertise-peer-urls": _ETCD_PEER,
        "initial-cluster": f"rig={_ETCD_PEER}",
        "log-level": "warn",
    }
    argv = (*_argv("etcd", flags), "--unsafe-no-fsync")
    return Part("etcd", argv, partial(health.answers, f"{_ETCD}/health"))


def _api_server() -> Part:
    flags = {
        "advertise-address": BRIDGE_ADDRESS,
        "bind-address": "0.0.0.0",
        "secure-port": API_PORT,
        "etcd-servers": _ETCD,
        "client-ca-file": PKI / "ca.crt",
        "tls-cert-file": PKI / "kube-apiserver.crt",
        "tls-private-key-file": PKI / "kube-apiserver.key",
        "kubelet-certificate-authority": PKI / "ca.crt",
        "kubelet-client-certificate": PKI / "kube-apiserver-kubelet-client.crt",
        "kubelet-client-key": PKI / "kube-apiserver-kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": f"https://kubernetes.default.svc.{DNS_DOMAIN}",
        "service-account-key-file": PKI / "service-account.pub",
        "service-account-signing-key-file": PKI / "service-account.key",
        "service-cluster-ip-range": SERVICE_RANGE,
        "authorization-mode": "Node,RBAC",
        "anonymous-auth": "false",
        "allow-privileged": "true",
        "enable-bootstrap-token-auth": "true",
    }
    healthy = partial(health.api_answers, "/readyz", body_has="ok")
    return Part("kube-apiserver", _argv("kube-apiserver", flags), healthy, after=("etcd",))


def _controller_manager() -> Part:
    flags = {
        "kubeconfig": PKI / "kube-controller-manager.kubeconfig",
        "bind-address": "127.0.0.1",
        "cluster-cidr": POD_RANGE,
        "cluster-signing-cert-file": PKI / "ca.crt",
        "cluster-signing-key-file": PKI / "ca.key",
        "enable-hostpath-provisioner": "true",
        "leader-elect": "false",
        "root-ca-file": PKI / "ca.crt",
        "service-account-private-key-file": PKI / "service-account.key",
        "use-service-account-credentials": "true",
    }
    healthy = partial(health.answers, "https://127.0.0.1:10257/healthz")
    argv = _argv("kube-controller-manager", flags)
    return Part("kube-controller-manager", argv, healthy, after=("kube-apiserver",))


def _scheduler() -> Part:
    flags = {
        "kubeconfig": PKI / "kube-scheduler.kubeconfig",
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
    }
    healthy = partial(health.answers, "https://127.0.0.1:10259/healthz")
    return Part("kube-scheduler", _argv("kube-scheduler", flags), healthy, after=("kube-apiserver",))


def _containerd(node: Node) -> Part:
    argv = ("/usr/bin/containerd", "--config", str(node.root / "containerd.toml"))
    return Part(_name("containerd", node), argv, partial(health.socket_answers, node.containerd_socket))


def _kubelet(node: Node) -> Part:
    flags = {
        "config": node.root / "kubelet.json",
        "kubeconfig": PKI / f"kubelet-{node.name}.kubeconfig",
        "root-dir": node.root / "kubelet",
        "cert-dir": node.root / "kubelet" / "pki",
        "hostname-override": node.name,
        "node-ip": node.address,
    }
    healthy = partial(health.answers, f"http://{node.address}:10248/healthz")
    after = ("kube-apiserver", _name("containerd", node), "pause image")
    return Part(_name("kubelet", node), _argv("kubelet", flags), healthy, after=after)


def _kube_proxy(node: Node) -> Part:
    argv = _argv("kube-proxy", {"config": node.root / "kube-proxy.json"})
    healthy = partial(health.answers, f"http://{node.address}:10256/healthz")
    return Part(_name("kube-proxy", node), argv, healthy, after=(_name("kubelet", node),))


def _registry(name: str, address: str) -> Part:
    argv = ("/usr/bin/docker-registry", "serve", str(configs.registry_file(name)))
    return Part(name, argv, partial(health.answers, f"http://{address}/v2/"))


def docker() -> Part:
    """Its containers run in the node's containerd, in a namespace of their own there."""
    folder = STATE / "docker"
    flags = {
        "data-root": folder / "data",
        "exec-root": folder / "exec",
        "pidfile": folder / "docker.pid",
        "host": f"unix://{DOCKER_SOCKET}",
        "containerd": HOST.containerd_socket,
        "cgroup-parent": f"/{CGROUP}/docker",
        "insecure-registry": BRIDGE_RANGE,
        "storage-driver": "overlay2",
        "log-level": "warn",
    }
    healthy = partial(health.docker_answers, DOCKER_SOCKET)
    argv = ("/usr/sbin/dockerd", *_flags(flags))
    return Part("docker", argv, healthy, after=(_name("containerd", HOST),))


def ingress() -> Part:
    """The controller and the nginx that it starts, in a mount namespace: it lays its log folder over nginx' own."""
    python = str(VENV_PYTHON if VENV_PYTHON.exists() else sys.executable)
    namespace = ("unshare", "--mount", "--propagation", "private", "--")
    return Part(
        "ingress-controller",
        (*namespace, python, "-B", "-m", "rig.ingress"),
        partial(health.answers, f"http://{INGRESS_HEALTH}/healthz"),
        after=("kube-apiserver", "custom resources"),
        environment={"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONUNBUFFERED": "1"},
    )


def _name(part: str, node: Node) -> str:
    return part if node == HOST else f"{part}-{node.name}"


def _argv(name: str, flags: dict[str, object]) -> tuple[str, ...]:
    return (program(name), *_flags(flags))


def _flags(flags: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
