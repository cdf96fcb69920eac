"""What commands change in the cluster at once: sysctls of nodes, and authentication for autoscaling."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client
from rig.cluster import Cluster, eventually
from rig.host import Host

pytestmark = pytest.mark.cluster
SYSCTL = "vm.max_map_count"
GLOBAL, PROFILE = "dokku-node-sysctls-global", "dokku-node-sysctls-profile-big"


@pytest.fixture
def no_sysctls(host: Host) -> Iterator[None]:
    yield
    host.dokku("scheduler-k3s:profiles:remove", "big")
    host.dokku("scheduler-k3s:node-sysctls:set", SYSCTL)


def daemon_sets(cluster: Cluster) -> dict[str, str]:
    """What each DaemonSet of ours sets, by its name."""
    found = client.AppsV1Api(cluster.api).list_namespaced_daemon_set(
        "kube-system", label_selector="app.kubernetes.io/part-of=dokku"
    )
    return {
        item.metadata.name: item.spec.template.spec.init_containers[0].command[-1] for item in found.items
    }


def test_sysctls_reach_the_nodes_and_go(
    host: Host, cluster: Cluster, sample_image: str, no_sysctls: None
) -> None:
    now = int(Path("/proc/sys/vm/max_map_count").read_text())
    for name in ("node-sysctls-image", "node-sysctls-pause-image"):
        host.dokku("scheduler-k3s:set", "--global", name, sample_image)
    done = host.dokku("scheduler-k3s:node-sysctls:set", SYSCTL, str(now))
    assert (done.stdout, done.stderr) == ("       Applying node sysctls for unprofiled nodes\n", "")
    assert daemon_sets(cluster) == {GLOBAL: f"{SYSCTL}={now}"}
    cluster.kubectl("rollout", "status", f"daemonset/{GLOBAL}", "--namespace=kube-system", "--timeout=180s")
    (pod,) = cluster.core.list_namespaced_pod(
        "kube-system", label_selector=f"app.kubernetes.io/name={GLOBAL}"
    ).items
    said = cluster.core.read_namespaced_pod_log(pod.metadata.name, "kube-system", container="apply-sysctls")
    assert said == f"{SYSCTL} = {now}\n"

    host.dokku("scheduler-k3s:profiles:add", "big")
    done = host.dokku("scheduler-k3s:node-sysctls:set", "vm.swappiness", "9", "--profile", "big")
    assert done.stdout == (
        "       Applying node sysctls for unprofiled nodes\n       Applying node sysctls for node profile big\n"
    )
    assert daemon_sets(cluster) == {GLOBAL: f"{SYSCTL}={now}", PROFILE: "vm.swappiness=9"}

    done = host.dokku("scheduler-k3s:profiles:remove", "big")
    assert done.stdout == (
        f"       Removing node sysctls release {PROFILE}\n-----> Node profile big removed\n"
    )
    done = host.dokku("scheduler-k3s:node-sysctls:set", SYSCTL)
    assert done.stdout == f"       Removing node sysctls release {GLOBAL}\n"
    assert done.stderr.startswith(f" !     Removing {SYSCTL} stops dokku managing it")
    assert eventually(lambda: daemon_sets(cluster) == {})


def test_nodes_that_lose_their_profile_are_named(host: Host, cluster: Cluster) -> None:
    (node, *_) = [item.metadata.name for item in cluster.core.list_node().items]
    cluster.kubectl("label", "node", node, "dokku.com/node-profile=gone")
    try:
        done = host.dokku("scheduler-k3s:profiles:remove", "gone")
    finally:
        cluster.kubectl("label", "node", node, "dokku.com/node-profile-")
    assert f"kubectl label node {node} dokku.com/node-profile-" in done.stderr


def test_authentication_for_all_apps_comes_grows_and_goes(host: Host, cluster: Cluster) -> None:
    objects = client.CustomObjectsApi(cluster.api)
    place = ("keda.sh", "v1alpha1", "clustertriggerauthentications")
    release = "keda-cluster-trigger-authentications-datadog"
    try:
        for pair in ("apiKey=1234567890", "appKey={{ x }}"):
            done = host.dokku("scheduler-k3s:autoscaling-auth:set", "--global", "datadog", "--metadata", pair)
            said = "-----> Trigger authentication settings saved\n"
            assert (done.stdout, done.stderr) == (f"{said}-----> Applied {release} chart\n", "")
        data = cluster.core.read_namespaced_secret("ckta-datadog", "keda").data
        plain = {key: base64.b64decode(value).decode() for key, value in data.items()}
        assert plain == {"apiKey": "1234567890", "appKey": "{{ x }}"}
        found = objects.get_cluster_custom_object(*place, "datadog")
        assert [entry["key"] for entry in found["spec"]["secretTargetRef"]] == ["apiKey", "appKey"]
    finally:
        done = host.dokku("scheduler-k3s:autoscaling-auth:set", "--global", "datadog")
    assert done.stdout == f"-----> Removed {release} chart\n"
    assert objects.list_cluster_custom_object(*place)["items"] == []
    assert host.dokku("scheduler-k3s:autoscaling-auth:set", "--global", "datadog").stdout == ""
