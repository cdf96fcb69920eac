"""What is put into the fresh cluster, and questions to it."""

import json
import subprocess
import tempfile
import time
from http.client import HTTPException
from pathlib import Path

from rig import archives
from rig.node import health
from rig.node.model import HOST, INGRESS_FOLDER, INGRESS_LOGS, PAUSE_IMAGE, Node
from rig.node.processes import PartError
from rig.node.versions import ADD_ONS, TRAEFIK, program
from rig.paths import KUBECONFIG

_READY_SECONDS = 60
_INGRESS_FOLDERS = {"logs": ("/var/log/nginx", INGRESS_LOGS), "configuration": ("/etc/nginx", INGRESS_FOLDER)}
_CLUSTER_OBJECTS = (
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "nginx"},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    },
    {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "local-path",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/host-path",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    },
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ingress-nginx"}},
    {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "ingress-nginx", "namespace": "ingress-nginx"},
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "ingress-nginx-controller",
            "namespace": "ingress-nginx",
            "labels": {
                "app.kubernetes.io/name": "ingress-nginx",
                "app.kubernetes.io/component": "controller",
            },
        },
        "spec": {
            "nodeName": HOST.name,
            "serviceAccountName": "ingress-nginx",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "controller",
                    "image": PAUSE_IMAGE,
                    "imagePullPolicy": "Never",
                    "volumeMounts": [
                        {"name": name, "mountPath": inside, "readOnly": True}
                        for name, (inside, _) in _INGRESS_FOLDERS.items()
                    ],
                }
            ],
            "volumes": [
                {"name": name, "hostPath": {"path": str(outside), "type": "DirectoryOrCreate"}}
                for name, (_, outside) in _INGRESS_FOLDERS.items()
            ],
        },
    },
)


def import_pause_image(node: Node) -> None:
    """Gives containerd the image that holds a pod's namespaces; no registry has to be up for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pause.tar"
        path.write_bytes(archives.busybox_image(PAUSE_IMAGE, {}, {"Entrypoint": ["/bin/sleep", "infinity"]}))
        ctr = ["ctr", "--address", str(node.containerd_socket), "--namespace", "k8s.io"]
        _run([*ctr, "images", "import", str(path)])


def apply_custom_resources(traefik: int) -> None:
    """Definitions of cert-manager, KEDA, its http add-on and one Traefik; another Traefik's are taken away first."""
    other = TRAEFIK[5 - traefik]
    if traefik_version() == 5 - traefik:
        kubectl("delete", "--ignore-not-found", "--filename", str(other.folder))
    folders = [resources.folder for resources in (*ADD_ONS, TRAEFIK[traefik])]
    files = [f"--filename={folder}" for folder in folders]
    kubectl("apply", "--server-side", "--force-conflicts", *files)


def traefik_version() -> int | None:
    """The Traefik whose resource definitions are in the cluster: only the second has the older API group."""
    groups = json.loads(health.api_get("/apis"))["groups"]
    names = {group["name"] for group in groups}
    if "traefik.io" not in names:
        return None
    return 2 if "traefik.containo.us" in names else 3


def apply_cluster_objects() -> None:
    """Class nginx, a default storage class of folders on the node, and what looks like ingress-nginx' pod.

    nginx runs on the host; in the pod are its log files and its configuration, where ingress-nginx has them.
    """
    document = {"apiVersion": "v1", "kind": "List", "items": list(_CLUSTER_OBJECTS)}
    # forced: a pod of an earlier version of these tests cannot be changed, only made anew
    kubectl("apply", "--force", "--grace-period=0", "--filename=-", stdin=json.dumps(document))


def node_is_ready(node: Node) -> bool:
    """Whether the node takes pods: Ready, and pods can be made in the default namespace."""
    try:
        conditions = json.loads(health.api_get(f"/api/v1/nodes/{node.name}"))["status"]["conditions"]
        health.api_get("/api/v1/namespaces/default/serviceaccounts/default")
    except (OSError, HTTPException, KeyError):
        return False
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def wait_for_node(node: Node) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not node_is_ready(node):
        if time.monotonic() > deadline:
            raise PartError(f"{node.name} is not Ready after {_READY_SECONDS} s: see kubelet.log")
        time.sleep(0.2)


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """Runs kubectl as administrator and returns its output."""
    return _run([program("kubectl"), f"--kubeconfig={KUBECONFIG}", *arguments], stdin)


def _run(argv: list[str], stdin: str | None = None) -> str:
    result = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=120)
    if result.returncode:
        raise PartError(f"{' '.join(argv)} failed:\n{result.stderr}")
    return result.stdout
