"""The cluster's own certificate authority, and kubeconfigs that carry certificates of it."""

import base64
import json
import os
import subprocess
from pathlib import Path

from rig.node.model import API_PORT, BRIDGE_ADDRESS, DNS_DOMAIN, SERVICE_ADDRESS, Node
from rig.paths import KUBECONFIG, STATE

PKI = STATE / "pki"
_DAYS = "3650"
_SERVER_NAMES = (
    "DNS:kubernetes",
    "DNS:kubernetes.default",
    "DNS:kubernetes.default.svc",
    f"DNS:kubernetes.default.svc.{DNS_DOMAIN}",
    "DNS:localhost",
    "IP:127.0.0.1",
    f"IP:{SERVICE_ADDRESS}",
    f"IP:{BRIDGE_ADDRESS}",
)
_CLIENTS = {
    "admin": "/O=system:masters/CN=admin",
    "kube-apiserver-kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-proxy": "/CN=system:kube-proxy",
    "kube-scheduler": "/CN=system:kube-scheduler",
}


def make_cluster_certificates() -> None:
    """The authority, the API server's certificate and the clients that are the same for every node."""
    PKI.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (PKI / "ca.crt").exists():
        authority = [
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ]
        _issue("ca", "/CN=scheduler-k3s-rig", authority, signed=False)
    issue_server("kube-apiserver", "/CN=kube-apiserver", _SERVER_NAMES)
    for name, subject in _CLIENTS.items():
        issue_client(name, subject)
    _make_service_account_key()
    for name in ("kube-controller-manager", "kube-proxy", "kube-scheduler"):
        write_kubeconfig(PKI / f"{name}.kubeconfig", name)
    write_kubeconfig(KUBECONFIG, "admin")
    KUBECONFIG.chmod(0o644)


def make_node_certificates(node: Node) -> None:
    """What a kubelet shows to the API server (as client) and to those who call it (as server)."""
    issue_client(f"kubelet-{node.name}", f"/O=system:nodes/CN=system:node:{node.name}")
    issue_server(
        f"kubelet-{node.name}-serving", f"/CN={node.name}", (f"DNS:{node.name}", f"IP:{node.address}")
    )
    write_kubeconfig(PKI / f"kubelet-{node.name}.kubeconfig", f"kubelet-{node.name}")


def issue_client(name: str, subject: str) -> None:
    """Makes `name`.crt and `name`.key for a client of the API server, unless they are there."""
    if not (PKI / f"{name}.crt").exists():
        _issue(name, subject, ["-addext", "extendedKeyUsage=clientAuth"])


def issue_server(name: str, subject: str, names: tuple[str, ...]) -> None:
    """Makes `name`.crt and `name`.key for a server with these subject alternative names, unless they are there."""
    if not (PKI / f"{name}.crt").exists():
        usage = ["-addext", "extendedKeyUsage=serverAuth", "-addext", f"subjectAltName={','.join(names)}"]
        _issue(name, subject, usage)


def write_kubeconfig(path: Path, client: str) -> None:
    """A kubeconfig with its certificates inline, as JSON, which every YAML reader reads."""
    cluster = {
        "server": f"https://127.0.0.1:{API_PORT}"
        if client == "admin"
        else f"https://{BRIDGE_ADDRESS}:{API_PORT}",
        "certificate-authority-data": _base64(PKI / "ca.crt"),
    }
    user = {
        "client-certificate-data": _base64(PKI / f"{client}.crt"),
        "client-key-data": _base64(PKI / f"{client}.key"),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "rig", "cluster": cluster}],
        "users": [{"name": client, "user": user}],
        "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": client}}],
        "current-context": "rig",
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        json.dump(document, file, indent=2)


def _make_service_account_key() -> None:
    key = PKI / "service-account.key"
    if not key.exists():
        _openssl(
            ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", str(key)]
        )
        _openssl(["pkey", "-in", str(key), "-pubout", "-out", str(PKI / "service-account.pub")])


def _issue(name: str, subject: str, extensions: list[str], *, signed: bool = True) -> None:
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        str(PKI / f"{name}.key"),
    ]
    signer = ["-CA", str(PKI / "ca.crt"), "-CAkey", str(PKI / "ca.key")] if signed else []
    target = ["-out", str(PKI / f"{name}.crt")]
    _openssl(["req", "-x509", "-days", _DAYS, "-subj", subject, *key, *signer, *extensions, *target])


def _openssl(arguments: list[str]) -> None:
    subprocess.run(["openssl", *arguments], capture_output=True, check=True, timeout=60)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
