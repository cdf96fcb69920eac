"""What dokku's ps:report, ps:stop and apps:destroy do to an app in a real cluster."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from kubernetes import client
from rig.cluster import Cluster, eventually
from rig.host import Host
from rig.node import versions

from .apps import PART_OF, app, deployment, left_over

pytestmark = pytest.mark.cluster


def report(host: Host, name: str) -> dict[str, str]:
    known: dict[str, str] = json.loads(host.dokku("ps:report", name, "--format", "json").stdout)
    return known


def job(name: str, owner: str, managed: bool) -> dict[str, object]:
    annotations = {"dokku.com/managed": "true"} if managed else {}
    container = {"name": "c", "image": "127.0.0.1:5000/rig/sample", "command": ["sleep", "600"]}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {PART_OF: owner}, "annotations": annotations},
        "spec": {"template": {"spec": spec}},
    }


def certificate(name: str, issued: bool) -> dict[str, object]:
    annotations = {"cert-manager.io/certificate-name": name} if issued else {}
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"tls.crt": "x"}}


def releases(cluster: Cluster, namespace: str = "default") -> set[str]:
    found = cluster.core.list_namespaced_secret(namespace, label_selector="owner=helm").items
    return {item.metadata.labels["name"] for item in found}


def helm(cluster: Cluster, *words: str) -> None:
    argv = [versions.program("helm"), *words, "--namespace=default", f"--kubeconfig={cluster.kubeconfig}"]
    subprocess.run(argv, check=True, capture_output=True)


def test_status_follows_the_app_from_its_deploy_to_its_stop_and_back(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "life", scale="web=2 worker=1") as name:
        host.dokku("git:from-image", name, sample_image)
        known = report(host, name)
        assert (known["running"], known["processes"], known["deployed"]) == ("true", "3", "true")
        assert "app[life-worker-" in host.dokku("logs", name).stdout
        stopped = host.dokku("ps:stop", name)
        assert "       Stopping web process\n       Stopping worker process\n" in stopped.stdout
        assert deployment(cluster, "life-web").spec.replicas == 0
        assert report(host, name)["running"] == "false"
        host.dokku("ps:stop", name)
        host.dokku("ps:start", name)
        assert report(host, name)["running"] == "true"
        assert deployment(cluster, "life-web").spec.replicas == 2


def test_a_destroyed_app_leaves_nothing_of_its_own_and_all_of_others(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "dropped") as name:
        host.dokku("git:from-image", name, sample_image)
        cluster.apply("default", job("dropped-run-1", name, True), job("not-dokkus", name, False))
        cluster.apply("default", certificate("tls-dropped-web", True))
        host.dokku("logs:set", name, "max-size", "20m")
        done = host.dokku("--force", "apps:destroy", name)
        assert "Stopping web process" in done.stdout
        eventually(lambda: [item for item in left_over(cluster, name) if "not-dokkus" not in item] == [])
        jobs = client.BatchV1Api(cluster.api).list_namespaced_job(
            "default", label_selector=f"{PART_OF}={name}"
        )
        assert [item.metadata.name for item in jobs.items if not item.metadata.deletion_timestamp] == [
            "not-dokkus"
        ]
        cluster.kubectl("delete", "job", "not-dokkus", "--namespace=default")
        secrets = cluster.core.list_namespaced_secret("default").items
        assert "tls-dropped-web" not in {item.metadata.name for item in secrets}
        assert not (host.lib / "data/scheduler-k3s/dropped").exists()
        assert not (host.lib / "config/logs/dropped").exists()


def test_a_release_of_that_name_that_dokku_did_not_make_stays(
    host: Host, cluster: Cluster, tmp_path: Path
) -> None:
    """The app was never deployed; somebody else's release and Secret happen to have its names."""
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: foreign\nversion: 1.0.0\n")
    (chart / "templates/secret.json").write_text(json.dumps(certificate("foreign", False)))
    helm(cluster, "install", "foreign", str(chart))
    cluster.apply("default", certificate("tls-foreign-web", False))
    try:
        with app(host, "foreign") as name:
            done = host.dokku("--force", "apps:destroy", name)
            assert "The helm release foreign in namespace default was not made by dokku" in done.stderr
        assert "foreign" in releases(cluster)
        assert cluster.core.read_namespaced_secret("tls-foreign-web", "default")
    finally:
        helm(cluster, "uninstall", "foreign")
        cluster.kubectl("delete", "secret", "tls-foreign-web", "--namespace=default")


def test_an_app_destroyed_while_the_cluster_was_away_is_removed_by_the_next_destroy(
    host: Host, cluster: Cluster, sample_image: str, tmp_path: Path
) -> None:
    away, hidden = host.home / ".kubeconfig", tmp_path / "hidden"
    away.write_bytes(cluster.kubeconfig.read_bytes())
    away.chmod(0o644)
    with app(host, "left") as name:
        host.dokku("scheduler-k3s:set", "--global", "kubeconfig-path", str(away))
        try:
            host.dokku("git:from-image", name, sample_image)
            shutil.move(away, hidden)
            assert report(host, name)["running"] == "false"
            done = host.dokku("--force", "apps:destroy", name)
            assert "cannot be used: it does not exist" in done.stderr
            assert (
                "stays there for now: the releases left, tls-left, config-left, pull-secret-left"
                in done.stderr
            )
            assert not (host.home / "left").exists()
            assert releases(cluster) >= {"left", "config-left"}
            shutil.move(hidden, away)
        finally:
            host.use(cluster.kubeconfig)
    with app(host, "other"):
        pass
    assert not releases(cluster) & {"left", "config-left"}
    eventually(lambda: left_over(cluster, "left") == [])


def test_a_renamed_app_leaves_nothing_under_its_old_name(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    """The app alone uses k3s, so dokku destroys the old name with another scheduler."""
    host.dokku("scheduler:set", "--global", "selected")
    try:
        with app(host, "old-name") as name:
            host.dokku("scheduler:set", name, "selected", "k3s")
            host.dokku("git:from-image", name, sample_image)
            host.dokku("apps:rename", name, "new-name")
            eventually(lambda: left_over(cluster, "old-name") == [])
            assert deployment(cluster, "new-name-web").spec.replicas == 1
    finally:
        host.dokku("--force", "apps:destroy", "new-name", check=False)
        host.dokku("scheduler:set", "--global", "selected", "k3s")
