"""Deploys that fail, are ended or refused: what the user is told, and what is left in the cluster."""

import json
import os
import signal
import subprocess

import pytest
import yaml
from kubernetes import client
from rig import images, target
from rig.cluster import Cluster
from rig.host import Host

from .apps import app, deployment, get, history, left_over

pytestmark = pytest.mark.cluster

CRASH = "#!/bin/sh\necho 'cannot reach the database' >&2\nexit 3\n"


def test_an_image_that_is_not_there_is_reported_and_the_old_version_serves(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "missing") as name:
        host.dokku("git:from-image", name, sample_image)
        (host.lib / "config/registry/missing/tag-version").write_text("999")
        done = host.dokku("ps:restart", name, check=False)
        assert done.returncode != 0
        assert " !     Deploy of missing failed: web cannot come up" in done.stderr
        assert "dokku/missing:999: not found" in done.stderr
        assert "dokku ps:rebuild missing" in done.stderr
        assert history("missing") == ["deployed", "failed"]
        assert "from missing-web-" in get("missing")
        assert (host.lib / "config/common/missing/deployed").read_text() == "true"


def test_a_process_that_exits_is_reported_with_its_last_words(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    broken = images.build("rig/crash:v1", files={"app/bin/web": CRASH}, cmd=["/app/bin/web"])
    with app(host, "crash") as name:
        host.dokku("git:from-image", name, sample_image)
        done = host.dokku("git:from-image", name, broken, check=False)
        assert done.returncode != 0
        assert "exited with code 3, 3 times" in done.stderr
        assert "cannot reach the database" in done.stderr
        assert history("crash") == ["deployed", "failed"]
        assert "from crash-web-" in get("crash")
        assert "-----> Running post-deploy" not in done.stdout


def test_a_worker_that_exits_after_helm_was_content_fails_the_deploy(host: Host, cluster: Cluster) -> None:
    short = "#!/bin/sh\necho 'worker: nothing to do'\nsleep 3\nexit 0\n"
    image = images.build(
        "rig/short:v1", files={"app/bin/worker": short, "app/Procfile": "worker: /app/bin/worker\n"}
    )
    with app(host, "short", scale="web=0 worker=1") as name:
        done = host.dokku("git:from-image", name, image, check=False)
        assert done.returncode != 0
        assert "worker: nothing to do" in done.stderr
        assert "exited with code 0, 3 times" in done.stderr
        assert history("short") == ["failed"]


def test_a_process_that_never_listens_fails_at_the_timeout_with_that_reason(
    host: Host, cluster: Cluster
) -> None:
    image = images.build(
        "rig/mute:v1", files={"app/bin/web": "#!/bin/sh\nexec sleep 3600\n"}, cmd=["/app/bin/web"]
    )
    with app(host, "mute") as name:
        host.dokku("scheduler-k3s:set", name, "deploy-timeout", "40s")
        done = host.dokku("git:from-image", name, image, check=False)
        assert done.returncode != 0
        assert "not all pods were ready within 40s (deploy-timeout)" in done.stderr
        assert "Readiness probe failed" in done.stderr
        assert "$PORT" in done.stderr


def test_a_signal_cancels_and_the_next_deploy_goes_through(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    image = images.build(
        "rig/late:v1", files={"app/bin/web": "#!/bin/sh\nexec sleep 3600\n"}, cmd=["/app/bin/web"]
    )
    with app(host, "late") as name:
        running = host.start("git:from-image", name, image)
        _wait_for_line(running, "pods ready")
        _signal_deploys(name, signal.SIGTERM)
        output = running.communicate(timeout=120)[0]
        assert running.returncode != 0
        assert "Deployment of late has been cancelled" in output
        assert history("late") == ["failed"]
        host.dokku("git:from-image", name, sample_image)
        assert history("late")[-1] == "deployed"


def test_a_killed_deploy_is_recovered_by_the_next(host: Host, cluster: Cluster, sample_image: str) -> None:
    image = images.build(
        "rig/late:v1", files={"app/bin/web": "#!/bin/sh\nexec sleep 3600\n"}, cmd=["/app/bin/web"]
    )
    with app(host, "killed") as name:
        running = host.start("git:from-image", name, image)
        _wait_for_line(running, "pods ready")
        _signal_deploys(name, signal.SIGKILL)
        running.communicate(timeout=120)
        assert history("killed") == ["pending-install"]
        leftovers = list((host.lib / "data/scheduler-k3s/killed").glob("helm-*"))
        assert leftovers
        done = host.dokku("git:from-image", name, sample_image)
        assert "revision 1 was left unfinished, taking over" in done.stdout
        assert history("killed")[1:] == ["deployed"]
        assert not list((host.lib / "data/scheduler-k3s/killed").glob("helm-*"))


def _wait_for_line(running: "subprocess.Popen[str]", text: str) -> None:
    assert running.stdout is not None
    for line in running.stdout:
        if text in line:
            return
    raise AssertionError(f"ended without saying {text!r}")


def _signal_deploys(name: str, number: signal.Signals) -> None:
    """To the plugin's deploy of this app and, when it is to die without a word, to its helm."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().decode().split("\0")
        except OSError:
            continue
        plugin = any(word.endswith("/scheduler-deploy") for word in words) and name in words
        helm = number == signal.SIGKILL and words[0].endswith("/bin/helm") and name in words
        if (plugin and "python" in words[0]) or helm:
            os.kill(int(entry), number)


def test_two_deploys_at_once_go_one_after_the_other(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "twice") as name:
        host.dokku("git:from-image", name, sample_image)
        running = [host.start("ps:restart", name) for _ in range(2)]
        outputs = [each.communicate(timeout=120)[0] for each in running]
        assert [each.returncode for each in running] == [0, 0], outputs
        assert any("Waiting for another operation on twice to end (process " in output for output in outputs)
        assert history("twice") == ["superseded", "superseded", "deployed"]


def test_rollback_on_failure_brings_the_last_good_version_back(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    broken = images.build("rig/crash:v1", files={"app/bin/web": CRASH}, cmd=["/app/bin/web"])
    with app(host, "rollback") as name:
        host.dokku("scheduler-k3s:set", name, "rollback-on-failure", "true")
        host.dokku("git:from-image", name, sample_image)
        good = deployment(cluster, "rollback-web").spec.template.spec.containers[0].image
        assert host.dokku("git:from-image", name, broken, check=False).returncode != 0
        assert deployment(cluster, "rollback-web").spec.template.spec.containers[0].image == good
        assert history("rollback") == ["superseded", "failed", "deployed"]
        said = host.dokku("logs:failed", name).stdout
        assert "Deploy of rollback failed: web cannot come up" in said
        assert "rolled back" in said
        host.dokku("git:from-image", name, images.sample("mended"))
        assert "rolled back" not in host.dokku("logs:failed", name).stdout


def test_a_failed_first_install_stays_failed_with_rollback_asked_for(host: Host, cluster: Cluster) -> None:
    broken = images.build("rig/crash:v1", files={"app/bin/web": CRASH}, cmd=["/app/bin/web"])
    with app(host, "firstfail") as name:
        host.dokku("scheduler-k3s:set", name, "rollback-on-failure", "true")
        assert host.dokku("git:from-image", name, broken, check=False).returncode != 0
        assert history("firstfail") == ["failed"]
        assert deployment(cluster, "firstfail-web").spec.replicas == 0


def test_without_push_on_release_nothing_changes(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "nopush") as name:
        host.dokku("registry:set", name, "push-on-release", "false")
        done = host.dokku("git:from-image", name, sample_image, check=False)
        assert done.returncode != 0
        assert "dokku registry:set nopush push-on-release true" in done.stderr
        assert not left_over(cluster, name)


def test_objects_of_others_are_neither_adopted_nor_changed(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    metadata = client.V1ObjectMeta(name="taken-web")
    spec = client.V1ServiceSpec(ports=[client.V1ServicePort(port=81)])
    cluster.core.create_namespaced_service("default", client.V1Service(metadata=metadata, spec=spec))
    try:
        with app(host, "taken") as name:
            done = host.dokku("git:from-image", name, sample_image, check=False)
            assert done.returncode != 0
            assert "Service taken-web would be refused" in done.stderr
            live = cluster.core.read_namespaced_service("taken-web", "default")
            assert live.spec.ports[0].port == 81
            assert not live.metadata.labels
            secrets = cluster.core.list_namespaced_secret("default", label_selector="owner=helm").items
            assert not [item for item in secrets if item.metadata.labels["name"] in (name, f"config-{name}")]
    finally:
        cluster.core.delete_namespaced_service("taken-web", "default")


def test_a_cluster_that_is_away_is_named_in_one_message(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "away") as name:
        host.dokku("git:from-image", name, sample_image)
        config = yaml.safe_load(target.KUBECONFIG.read_text())
        for entry in config["clusters"]:
            entry["cluster"]["server"] = "https://127.0.0.1:1"
        path = host.lib / "kubeconfig-away"
        path.write_text(json.dumps(config))
        path.chmod(0o644)
        host.dokku("scheduler-k3s:set", "--global", "kubeconfig-path", str(path))
        try:
            done = host.dokku("ps:restart", name, check=False)
        finally:
            host.use(target.KUBECONFIG)
        assert done.returncode != 0
        assert "Unable to reach the Kubernetes API at https://127.0.0.1:1" in done.stderr
        assert "Traceback" not in done.stderr
