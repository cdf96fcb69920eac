"""What the tests of deploys share: apps on the stand-in host, and what the cluster shows of them."""

import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubernetes import client
from rig import images, target
from rig.cluster import Cluster
from rig.host import Host
from rig.node import versions

PART_OF = "app.kubernetes.io/part-of"


@contextmanager
def app(
    host: Host, name: str, *, config: dict[str, str] | None = None, scale: str = "web=1"
) -> Iterator[str]:
    """An app with a domain, not deployed yet; destroyed afterwards."""
    host.dokku("apps:create", name)
    try:
        host.dokku("domains:set", name, domain(name))
        if config:
            host.dokku(
                "config:set", "--no-restart", name, *(f"{key}={value}" for key, value in config.items())
            )
        host.dokku("ps:scale", "--skip-deploy", name, *scale.split())
        yield name
    finally:
        host.dokku("--force", "apps:destroy", name, check=False)


def pushed(host: Host, name: str, reference: str) -> None:
    """Make an app one that was built and deployed: `ps:restart` is nothing but the plugin's part of a deploy then.

    `reference` names an image in the rig's registry.
    """
    repository, _, tag = reference.removeprefix(f"{target.REGISTRY}/").partition(":")
    images.docker("tag", reference, f"dokku/{name}:latest")
    host.dokku("registry:set", name, "image-repo", repository)
    place(host, f"config/registry/{name}/tag-version", tag)
    place(host, f"config/common/{name}/deployed", "true")


def place(host: Host, path: str, text: str) -> Path:
    """Write a file of dokku's below its library, as dokku would have."""
    file = host.lib / path
    missing = [parent for parent in file.parents if not parent.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    for each in (file, *missing):
        shutil.chown(each, "dokku", "dokku")
    return file


def domain(name: str) -> str:
    return f"{name}.example.com"


def deployment(cluster: Cluster, name: str, namespace: str = "default") -> Any:
    return client.AppsV1Api(cluster.api).read_namespaced_deployment(name, namespace)


def pods(cluster: Cluster, name: str, process: str) -> list[Any]:
    """The pods of a process that are not on their way out."""
    labels = f"{PART_OF}={name},app.kubernetes.io/name={process}"
    found = cluster.core.list_namespaced_pod("default", label_selector=labels).items
    return [pod for pod in found if pod.metadata.deletion_timestamp is None]


def none_leaving(cluster: Cluster, name: str) -> bool:
    found = cluster.core.list_namespaced_pod("default", label_selector=f"{PART_OF}={name}").items
    return all(pod.metadata.deletion_timestamp is None for pod in found)


def left_over(cluster: Cluster, name: str, namespace: str = "default") -> list[str]:
    """What the cluster still holds of an app, releases included."""
    apps, core, networking = client.AppsV1Api(cluster.api), cluster.core, client.NetworkingV1Api(cluster.api)
    lists = (
        apps.list_namespaced_deployment,
        core.list_namespaced_service,
        core.list_namespaced_secret,
        core.list_namespaced_service_account,
        core.list_namespaced_pod,
        networking.list_namespaced_ingress,
    )
    found = [
        item.metadata.name
        for find in lists
        for item in find(namespace, label_selector=f"{PART_OF}={name}").items
    ]
    releases = core.list_namespaced_secret(namespace, label_selector="owner=helm").items
    own = {name, f"config-{name}", f"pull-secret-{name}", f"tls-{name}"}
    return found + [item.metadata.name for item in releases if item.metadata.labels["name"] in own]


def history(name: str, namespace: str = "default") -> list[str]:
    """The statuses of a release's revisions, oldest first, as helm tells them."""
    argv = [versions.program("helm"), "history", name, "--output=json", f"--namespace={namespace}"]
    done = subprocess.run(
        [*argv, f"--kubeconfig={target.KUBECONFIG}"], capture_output=True, text=True, check=True
    )
    return [entry["status"] for entry in json.loads(done.stdout)]


def get(name: str, path: str = "/") -> str:
    """What the app answers at its domain."""
    connection = http.client.HTTPConnection(target.INGRESS, 80, timeout=10)
    connection.request("GET", path, headers={"Host": domain(name)})
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "surrogateescape")
    assert answer.status == 200, (answer.status, body)
    return body
