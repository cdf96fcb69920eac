"""KEDA's authentication for all apps."""

from scheduler_k3s.manifests.cluster_trigger_auth import cluster_trigger_auth
from scheduler_k3s.secret import Secret


def test_the_secret_and_what_points_at_it() -> None:
    secret, authentication = cluster_trigger_auth("datadog", {"b": Secret("é\n"), "apiKey": Secret("1")})
    labels = {
        "app.kubernetes.io/instance": "datadog",
        "app.kubernetes.io/name": "datadog",
        "app.kubernetes.io/part-of": "cluster",
    }
    annotations = {"dokku.com/managed": "true"}
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "ckta-datadog",
            "namespace": "keda",
            "labels": labels,
            "annotations": annotations,
        },
        "type": "Opaque",
        "data": {"apiKey": "MQ==", "b": "w6kK"},
    }
    assert authentication == {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ClusterTriggerAuthentication",
        "metadata": {"name": "datadog", "labels": labels, "annotations": annotations},
        "spec": {
            "secretTargetRef": [
                {"parameter": "apiKey", "name": "ckta-datadog", "key": "apiKey"},
                {"parameter": "b", "name": "ckta-datadog", "key": "b"},
            ]
        },
    }
