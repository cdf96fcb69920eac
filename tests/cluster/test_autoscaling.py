"""Autoscaled processes on a cluster that knows KEDA's objects; what KEDA would do is done here by hand."""

import json
from typing import Any

import pytest
from kubernetes import client
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import app, deployment, history, pods

pytestmark = pytest.mark.cluster

AUTOSCALING = {
    "min_quantity": 1,
    "max_quantity": 4,
    "triggers": [
        {"type": "http", "metadata": {"request_rate_target_value": "50"}},
        {"type": "kafka", "metadata": {"topic": "[[ .DEPLOYMENT_NAME ]]"}},
    ],
}


def autoscale(host: Host, name: str, section: dict[str, Any]) -> None:
    """As if the app had been pushed with it."""
    path = host.lib / "data/app-json" / name / "app.json"
    path.write_text(json.dumps({"formation": {"web": {"autoscaling": section}}}))


def get(cluster: Cluster, kind: str, name: str) -> dict[str, Any]:
    done = cluster.kubectl("get", kind, name, "--namespace=default", "--output=json", check=False)
    found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def replicas(cluster: Cluster, name: str) -> int:
    return int(deployment(cluster, f"{name}-web").spec.replicas)


def test_the_autoscaler_s_count_outlives_deploys(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "elastic", scale="web=2") as name:
        host.dokku("git:from-image", name, sample_image)
        autoscale(host, name, AUTOSCALING)
        host.dokku("scheduler-k3s:autoscaling-auth:set", name, "kafka", "--metadata", "password=hush")
        host.dokku("ps:restart", name)
        assert replicas(cluster, name) == 2
        scaled = get(cluster, "scaledobject.keda.sh", "elastic-web")["spec"]
        assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (1, 4)
        assert scaled["triggers"][1]["metadata"] == {"topic": "elastic-web"}
        assert scaled["triggers"][1]["authenticationRef"]["name"] == "elastic-kafka"
        assert get(cluster, "triggerauthentication.keda.sh", "elastic-kafka")["spec"]["secretTargetRef"] == [
            {"parameter": "password", "name": "kta-elastic-kafka", "key": "password"}
        ]
        assert get(cluster, "secret", "kta-elastic-kafka")["data"] == {"password": "aHVzaA=="}
        routed = get(cluster, "httpscaledobject.http.keda.sh", "elastic-web")["spec"]
        assert routed["hosts"] == ["elastic.example.com"]
        assert get(cluster, "service", "kip-elastic-web")["spec"]["type"] == "ExternalName"
        (path,) = get(cluster, "ingress", "elastic-web-elastic-example-com")["spec"]["rules"][0]["http"][
            "paths"
        ]
        assert path["backend"]["service"] == {"name": "kip-elastic-web", "port": {"number": 8080}}

        apps = client.AppsV1Api(cluster.api)
        apps.patch_namespaced_deployment_scale("elastic-web", "default", {"spec": {"replicas": 3}})
        host.dokku("ps:restart", name)
        assert replicas(cluster, name) == 3
        assert history(name)[-1] == "deployed"

        host.dokku("ps:stop", name)
        stopped = get(cluster, "scaledobject.keda.sh", "elastic-web")["metadata"]["annotations"]
        assert stopped["autoscaling.keda.sh/paused-replicas"] == "0"
        host.dokku("ps:start", name)
        started = get(cluster, "scaledobject.keda.sh", "elastic-web")["metadata"]["annotations"]
        assert "autoscaling.keda.sh/paused-replicas" not in started
        assert replicas(cluster, name) == 1

        autoscale(host, name, {})
        host.dokku("ps:restart", name)
        assert eventually(lambda: len(pods(cluster, name, "web")) == 2)
        assert replicas(cluster, name) == 2
        assert get(cluster, "scaledobject.keda.sh", "elastic-web") == {}
