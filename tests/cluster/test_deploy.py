"""Deploys through dokku's commands, on the real cluster: what users do and see."""

import base64
import json
import shutil

import pytest
from rig import images, target
from rig.cluster import Cluster, eventually
from rig.host import Host
from rig.load import Load

from .apps import app, deployment, domain, get, history, left_over, none_leaving, pods

STOP_TIMEOUT = 4
"""Seconds, as the host's fixture sets it: most of the test programs do not heed SIGTERM."""

pytestmark = pytest.mark.cluster


def test_an_app_from_an_image_answers_at_its_domain(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "first", config={"GREETING": "salut"}, scale="web=2 worker=1") as name:
        done = host.dokku("git:from-image", name, sample_image)
        assert "=====> Installing first" in done.stdout
        assert "web: 2 of 2 pods ready" in done.stdout
        assert done.stdout.index("-----> Running post-deploy") < done.stdout.index("Application deployed")
        assert eventually(lambda: get("first")).startswith("salut from first-web-")
        web = deployment(cluster, "first-web")
        assert web.spec.replicas == 2
        assert deployment(cluster, "first-worker").spec.replicas == 1
        template = web.spec.template
        assert template.spec.containers[0].env[0].to_dict()["value"] == "5000"
        assert template.spec.service_account_name == "first"
        assert template.spec.termination_grace_period_seconds == STOP_TIMEOUT + 5
        assert (host.lib / "config/common/first/deployed").read_text() == "true"
        deployed = json.loads((host.lib / "data/scheduler-k3s/first/deployed.json").read_text())
        assert deployed["namespace"] == "default"
        assert deployed["release"] == "first"


def test_every_config_value_reaches_the_pod_as_it_is(host: Host, cluster: Cluster, sample_image: str) -> None:
    values = {
        "NEWLINES": "a\nb\n\n",
        "QUOTES": "'\"`$(id) ${HOME} \\n",
        "TEMPLATE": "{{ .Values }} {{- end }}",
        "BLANKS": "  x  ",
        "YAML": "no",
        "NUMBER": "007",
        "NULL": "~",
        "DOCUMENT": "x\n---\nkind: Secret",
        "UNICODE": "\u2028 \u00e9 \U0001f600 \ufeff \x7f",
        "EMPTY": "",
        "LARGE": "x" * 100_000,
    }
    with app(host, "env", config=values) as name:
        host.dokku("git:from-image", name, sample_image)
        text = eventually(lambda: get("env", "/cgi-bin/environment"))
        seen = dict(entry.partition("=")[::2] for entry in text.split("\0") if entry)
        assert {key: seen.get(key) for key in values} == values
        assert seen["PORT"] == "5000"


def test_a_redeploy_without_changes_leaves_the_config_release_alone(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "again") as name:
        host.dokku("git:from-image", name, sample_image)
        host.dokku("ps:restart", name)
        assert history("again") == ["superseded", "deployed"]
        assert history("config-again") == ["deployed"]
        host.dokku("config:set", name, "NEW=1")
        assert history("config-again") == ["superseded", "deployed"]


@pytest.mark.parametrize("slow", ["0", "4"], ids=["listens-at-once", "listens-after-4s"])
def test_a_rolling_deploy_loses_no_request(host: Host, cluster: Cluster, slow: str) -> None:
    bare = images.build(
        "rig/bare:v1",
        files={
            "app/bin/web": f"#!/bin/sh\nsleep {slow}\nexec httpd -f -p $PORT -h /app/www\n",
            "app/www/index.html": "here\n",
        },
        cmd=["/app/bin/web"],
    )
    with app(host, f"roll{slow}", scale="web=2") as name:
        host.dokku("git:from-image", name, bare)
        eventually(lambda: get(name))
        address = cluster.core.read_namespaced_service(f"{name}-web", "default").spec.cluster_ip
        with Load(target.INGRESS, 80, domain(name)) as routed, Load(address, 80) as service:
            host.dokku("ps:restart", name)
            eventually(lambda: none_leaving(cluster, name))
        assert (routed.lost, service.lost) == (0, 0), (routed.failures, service.failures)
        assert routed.requests > 200
        assert service.requests > 200


def test_restarting_one_process_leaves_the_pods_of_the_others(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "target", scale="web=1 worker=1") as name:
        host.dokku("git:from-image", name, sample_image)
        before = {p: {pod.metadata.uid for pod in pods(cluster, name, p)} for p in ("web", "worker")}
        host.dokku("ps:restart", name, "web")
        after = {p: {pod.metadata.uid for pod in pods(cluster, name, p)} for p in ("web", "worker")}
        assert after["worker"] == before["worker"]
        assert not after["web"] & before["web"]


def test_scaling_brings_pods_and_takes_them(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "scale") as name:
        host.dokku("git:from-image", name, sample_image)
        host.dokku("ps:scale", name, "web=3")
        assert len(pods(cluster, name, "web")) == 3
        host.dokku("ps:scale", name, "web=0")
        eventually(lambda: not pods(cluster, name, "web"))


def test_stop_and_start(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "stop") as name:
        host.dokku("git:from-image", name, sample_image)
        assert "Stopping web process" in host.dokku("ps:stop", name).stdout
        eventually(lambda: not pods(cluster, name, "web"))
        assert "false" in host.dokku("ps:report", name, "--ps-running").stdout
        host.dokku("ps:start", name)
        assert "from stop-web-" in eventually(lambda: get("stop"))
        assert "true" in host.dokku("ps:report", name, "--ps-running").stdout


def test_destroy_leaves_nothing(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "gone", scale="web=1 worker=1") as name:
        host.dokku("git:from-image", name, sample_image)
        host.dokku("--force", "apps:destroy", name)
        eventually(lambda: not left_over(cluster, name))
        assert not (host.lib / "data/scheduler-k3s/gone").exists()
        assert not (host.lib / "config/scheduler-k3s/gone").exists()


def test_a_namespace_of_its_own_is_made_with_dokkus_mark(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "elsewhere") as name:
        host.dokku("scheduler-k3s:set", name, "namespace", "apps-here")
        host.dokku("git:from-image", name, sample_image)
        namespace = cluster.core.read_namespace("apps-here")
        assert namespace.metadata.labels["dokku.com/managed"] == "true"
        assert namespace.metadata.annotations["dokku.com/managed"] == "true"
        assert deployment(cluster, "elsewhere-web", "apps-here").status.ready_replicas == 1
        assert eventually(lambda: get("elsewhere"))


def test_registry_logins_become_the_pull_secret_and_go_with_them(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    login = json.dumps({"auths": {target.REGISTRY: {"auth": "dXNlcjpwYXNz"}}})
    with app(host, "login") as name:
        credentials = host.lib / "config/registry/login/config.json"
        credentials.parent.mkdir(parents=True, exist_ok=True)
        credentials.write_text(login)
        for path in (credentials, credentials.parent):
            shutil.chown(path, "dokku", "dokku")
        host.dokku("git:from-image", name, sample_image)
        stored = cluster.core.read_namespaced_secret("pull-secret-login", "default")
        assert stored.type == "kubernetes.io/dockerconfigjson"
        assert base64.b64decode(stored.data[".dockerconfigjson"]).decode() == login
        pod = deployment(cluster, "login-web").spec.template.spec
        assert [secret.name for secret in pod.image_pull_secrets] == ["pull-secret-login"]
        credentials.unlink()
        host.dokku("ps:restart", name)
        assert deployment(cluster, "login-web").spec.template.spec.image_pull_secrets is None
        assert not [item for item in left_over(cluster, name) if "pull-secret" in item]
