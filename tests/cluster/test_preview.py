"""What a deploy would change, shown before it does; nothing of it is written."""

import json

import pytest
from rig.cluster import Cluster
from rig.host import Host

from .apps import app, left_over

pytestmark = pytest.mark.cluster

CANARY = "canary-3f1c9a"


def test_before_the_first_deploy_everything_is_new_and_nothing_is_made(host: Host, cluster: Cluster) -> None:
    with app(host, "unseen") as name:
        done = host.dokku("scheduler-k3s:preview", name)
        assert "default, unseen-web, Deployment (apps) has been added:" in done.stdout
        assert "dokku/unseen:not-yet-deployed" in done.stdout
        assert not left_over(cluster, name)


def test_changes_show_and_only_those(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "seen", config={"PASSWORD": "first"}) as name:
        host.dokku("git:from-image", name, sample_image)
        unchanged = host.dokku("scheduler-k3s:preview", name, "--all", "--exit-code")
        assert unchanged.stdout == ""
        host.dokku("ps:scale", "--skip-deploy", name, "web=2")
        changed = host.dokku("scheduler-k3s:preview", name, "--context", "0")
        assert changed.stdout.count("has changed") == 1
        assert "default, seen-web, Deployment (apps) has changed:" in changed.stdout
        assert "-   replicas: 1\n+   replicas: 2\n" in changed.stdout
        assert host.dokku("scheduler-k3s:preview", name, "--exit-code", check=False).returncode == 4
        entries = json.loads(host.dokku("scheduler-k3s:preview", name, "--format", "json").stdout)
        assert [entry["object"] for entry in entries] == ["default, seen-web, Deployment (apps)"]


def test_values_of_secrets_show_only_on_request(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "masked", config={"PASSWORD": "first"}) as name:
        host.dokku("git:from-image", name, sample_image)
        host.dokku("config:set", "--no-restart", name, f"PASSWORD={CANARY}")
        assert host.dokku("scheduler-k3s:preview", name).stdout == ""
        masked = host.dokku("scheduler-k3s:preview", name, "--all")
        assert "default, config-masked, Secret (v1) has changed:" in masked.stdout
        assert f"PASSWORD: '++++++++ # ({len(CANARY)} bytes)'" in masked.stdout
        assert CANARY not in masked.stdout + masked.stderr
        shown = host.dokku("scheduler-k3s:preview", name, "--all", "--show-secrets-decoded")
        assert f"+   PASSWORD: {CANARY}" in shown.stdout


def test_an_app_of_another_scheduler_is_refused(host: Host) -> None:
    with app(host, "elsewhere-run") as name:
        host.dokku("scheduler:set", name, "selected", "docker-local")
        done = host.dokku("scheduler-k3s:preview", name, check=False)
        assert done.returncode == 1
        assert "App elsewhere-run is not configured to use the k3s scheduler" in done.stderr
        host.dokku("scheduler:set", name, "selected", "k3s")
