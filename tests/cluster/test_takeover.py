"""A host and a cluster as dokku's own scheduler leaves them, taken over under load, and given back."""

import json
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import rig.host
from kubernetes import client
from rig import images, target
from rig.cluster import Cluster, eventually
from rig.host import CHECKOUT, TOOLS, Host
from rig.load import Load

from . import predecessor
from .apps import PART_OF, app, deployment, domain, get, history, left_over, none_leaving

pytestmark = pytest.mark.cluster

TASK = ("echo tidy", ["echo", "tidy"], "0 4 1 1 *")


def identities(cluster: Cluster, name: str) -> dict[str, str]:
    """Every object of the app that is not a pod's, by kind and name."""
    apps, batch = client.AppsV1Api(cluster.api), client.BatchV1Api(cluster.api)
    networking = client.NetworkingV1Api(cluster.api)
    lists: dict[str, Any] = {
        "Deployment": apps.list_namespaced_deployment,
        "CronJob": batch.list_namespaced_cron_job,
        "Ingress": networking.list_namespaced_ingress,
        "Service": cluster.core.list_namespaced_service,
        "ServiceAccount": cluster.core.list_namespaced_service_account,
        "Secret": cluster.core.list_namespaced_secret,
    }
    return {
        f"{kind} {item.metadata.name}": item.metadata.uid
        for kind, find in lists.items()
        for item in find("default", label_selector=f"{PART_OF}={name}").items
    }


def built(host: Host, name: str, image: str) -> None:
    """Built, pushed and known to dokku as deployed, by whom is not said."""
    host.dokku("ps:set", name, "skip-deploy", "true")
    host.dokku("git:from-image", name, image)
    host.dokku("ps:set", name, "skip-deploy")
    for path in host.lib.glob(f"data/*/{name}/*.[0-9]*"):
        if path.suffix == ".missing":
            path.unlink()
        else:
            path.rename(path.with_suffix(""))  # as a deploy that succeeds leaves it
    deployed = host.lib / f"config/common/{name}/deployed"
    deployed.parent.mkdir(parents=True, exist_ok=True)
    deployed.write_text("true")
    for path in (deployed, deployed.parent, deployed.parent.parent):
        shutil.chown(path, "dokku", "dokku")


def old_properties(host: Host, name: str) -> Path:
    """As dokku wrote them before 0.38.15."""
    store = host.lib / "config/scheduler-k3s"
    (store / name).mkdir(exist_ok=True)
    (store / name / "web.deployment").write_text("example.com/owner: team: a\n\n")
    (store / name / "labels.--global.pod").write_text("team: a\n")
    (store / "--global/chart.traefik.service.type").write_text("NodePort")
    return store


def environment(host: Host) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DOKKU_", "PLUGIN_"))}
    places = {"DOKKU_ROOT": f"{host.prefix}/home", "DOKKU_LIB_ROOT": f"{host.prefix}/lib"}
    places["DOKKU_SCHEDULER_K3S_TOOLS"] = str(TOOLS)
    return {**kept, **places, "PATH": f"{host.prefix}/bin:{kept['PATH']}"}


def run_installer(host: Host, *words: str) -> str:
    done = subprocess.run(
        [str(CHECKOUT / "install.sh"), *words],
        env=environment(host),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_an_app_is_adopted_under_load_and_the_host_given_back(cluster: Cluster, tmp_path: Path) -> None:
    files = {
        "app/app.json": json.dumps({"cron": [{"command": TASK[0], "schedule": TASK[2]}]}),
        "app/Procfile": "web: /app/bin/web\nworker: /app/bin/worker\n",
        "app/bin/web": "#!/bin/sh\nexec httpd -f -p $PORT -h /app/www\n",
        "app/bin/worker": "#!/bin/sh\nexec sleep 3600\n",
        "app/www/index.html": "here\n",
    }
    image = images.build("rig/adopted:v1", files=files, cmd=["/app/bin/web"])
    with rig.host.host() as host:
        host.use(cluster.kubeconfig)
        host.dokku("ps:set", "--global", "stop-timeout-seconds", "4")
        with app(
            host, f"adopted{secrets.token_hex(3)}", config={"KEY": "val"}, scale="web=2 worker=1"
        ) as name:
            built(host, name, image)
            store = old_properties(host, name)
            predecessor.install(
                cluster,
                tmp_path,
                app=name,
                image=f"{target.REGISTRY}/dokku/{name}:1",
                scale={"web": 2, "worker": 1},
                domain=domain(name),
                config={"KEY": "val"},
                cron=TASK,
                pod_labels={"team": "a"},
            )
            eventually(lambda: get(name) == "here\n")
            before = identities(cluster, name)
            selector = deployment(cluster, f"{name}-web").spec.selector.match_labels
            assert selector["team"] == "a"

            host.dokku("plugin:install")
            assert json.loads((store / name / "web.deployment").read_text()) == {
                "example.com/owner": "team: a"
            }
            assert json.loads((store / "--global/chart-overrides.traefik").read_text()) == {
                "service.type": "NodePort"
            }
            noted = json.loads((host.lib / f"data/scheduler-k3s/{name}/deployed.json").read_text())
            assert noted["namespace"] == "default"
            assert "true" in host.dokku("ps:report", name, "--ps-running").stdout
            preview = host.dokku("scheduler-k3s:preview", name).stdout
            assert f"default, {name}-web, Deployment (apps) has changed:" in preview
            assert "terminationGracePeriodSeconds" in preview
            assert "has been removed" not in preview
            assert "has been added" not in preview

            with Load(target.INGRESS, 80, domain(name)) as load:
                host.dokku("ps:restart", name)
                eventually(lambda: none_leaving(cluster, name))
            assert load.lost == 0, load.failures
            assert load.requests > 200
            assert identities(cluster, name) == before
            web = deployment(cluster, f"{name}-web")
            assert web.spec.selector.match_labels == selector
            assert web.metadata.annotations["example.com/owner"] == "team: a"
            assert web.spec.strategy.rolling_update.max_unavailable == 0
            assert history(name) == ["superseded", "deployed"]

            with app(host, f"{name}-2") as second:
                host.dokku("scheduler-k3s:labels:set", second, "team", "a", "--resource-type", "pod")
                host.dokku("git:from-image", second, image)
                said = run_installer(host, "--restore")
                delete = f"--namespace default delete deployment {second}-web --cascade=orphan"
                assert delete in said
                assert f"dokku ps:rebuild {second}" in said
                assert f"deployment {name}-web" not in said
                # dokku's own plugin is a stand-in, which takes nothing out of a cluster
                predecessor.uninstall(cluster, name, f"config-{name}", second, f"config-{second}")
        eventually(lambda: left_over(cluster, name) == [])
