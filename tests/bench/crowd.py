"""A large cluster: 500 nodes and 1,000 apps that exist in the API alone, listed by us and by kubectl."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from kubernetes import client
from rig.cluster import Cluster

from .hosts import deployed, environment, kubectl, plugin
from .measure import Row, cost, in_turns

RUNS = 9
APP = "benchcrowd"
NODES, APPS = 500, 1000
_MARK = "bench.example.com/crowd"
_PART_OF = "app.kubernetes.io/part-of"
_PATH = f"/apis/apps/v1/namespaces/default/deployments?labelSelector={_PART_OF}={APP}"


def rows() -> Iterator[Row]:
    with deployed(APP) as dokku, crowd():
        env, folder = environment(dokku), plugin(dokku)
        nodes = in_turns(
            RUNS,
            lambda: cost(kubectl("get", "nodes"), env).wall,
            lambda: cost((str(folder / "subcommands/cluster:list"), "scheduler-k3s:cluster:list"), env).wall,
        )
        status = in_turns(
            RUNS,
            lambda: cost(kubectl("get", "--raw", _PATH), env).wall,
            lambda: cost((str(folder / "scheduler-app-status"), "k3s", APP), env).wall,
        )
    yield Row(f"cluster:list of {NODES} nodes", "kubectl get nodes", "ms", nodes[1], nodes[0], 1.5)
    what = f"scheduler-app-status among {APPS} apps"
    yield Row(what, "kubectl get --raw", "ms", status[1], status[0], 1.5)


@contextmanager
def crowd() -> Iterator[None]:
    """Nodes without a kubelet, and apps at scale 0."""
    cluster = Cluster()
    core, apps = cluster.core, client.AppsV1Api(cluster.api)
    try:
        with ThreadPoolExecutor(4) as pool:
            made = [pool.submit(core.create_node, _node(number)) for number in range(NODES)]
            made += [
                pool.submit(apps.create_namespaced_deployment, "default", _deployment(number))
                for number in range(APPS)
            ]
            for one in made:
                one.result()
        yield
    finally:
        core.delete_collection_node(label_selector=_MARK)
        apps.delete_collection_namespaced_deployment("default", label_selector=_MARK)


def _node(number: int) -> client.V1Node:
    metadata = client.V1ObjectMeta(name=f"crowd-{number}", labels={_MARK: "true"})
    return client.V1Node(metadata=metadata, spec=client.V1NodeSpec(unschedulable=True))


def _deployment(number: int) -> client.V1Deployment:
    name = f"crowd-{number}"
    labels = {"app.kubernetes.io/name": "web", _PART_OF: name}
    container = client.V1Container(name="web", image="crowd")
    pod = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(
        replicas=0, selector=client.V1LabelSelector(match_labels=labels), template=pod
    )
    metadata = client.V1ObjectMeta(name=f"{name}-web", labels={**labels, _MARK: "true"})
    return client.V1Deployment(metadata=metadata, spec=spec)
