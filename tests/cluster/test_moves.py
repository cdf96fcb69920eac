"""An app on its way through namespaces, names and schedulers: nothing stays where it was."""

import json
from pathlib import Path

import pytest
from kubernetes import client
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import PART_OF, app, domain, left_over
from .test_certificates import make

pytestmark = pytest.mark.cluster

FROM, TO = "moves-from", "moves-to"


def cron_jobs(cluster: Cluster, name: str, namespace: str) -> list[str]:
    found = client.BatchV1Api(cluster.api).list_namespaced_cron_job(
        namespace, label_selector=f"{PART_OF}={name}"
    )
    return [item.metadata.name for item in found.items]


def shown(cluster: Cluster, name: str) -> str:
    return (cluster.fetch(f"https://{domain(name)}/").certificate or "").strip()


def test_namespace_name_and_scheduler_change_and_nothing_stays(
    host: Host, cluster: Cluster, handed_over: Path
) -> None:
    files = {
        "app/app.json": json.dumps({"cron": [{"command": "true", "schedule": "0 4 1 1 *"}]}),
        "app/bin/web": "#!/bin/sh\nexec httpd -f -p $PORT -h /app\n",
    }
    image = images.build("rig/moves:v1", files=files, cmd=["/app/bin/web"])
    try:
        with app(host, "mv-old") as old:
            host.dokku("scheduler:set", old, "selected", "k3s")
            host.dokku("scheduler-k3s:set", old, "namespace", FROM)
            pair = make(handed_over, "mv", domain(old))
            host.dokku("certs:add", old, *pair)
            host.dokku("git:from-image", old, image)
            certificate = Path(pair[0]).read_text().strip()
            eventually(lambda: shown(cluster, old) == certificate)

            host.dokku("scheduler-k3s:set", old, "namespace", TO)
            assert "true" in host.dokku("ps:report", old, "--ps-running").stdout
            done = host.dokku("ps:restart", old)
            assert f"Moved {old} from namespace {FROM}: its releases there are removed" in done.stdout
            eventually(lambda: left_over(cluster, old, FROM) == [])
            eventually(lambda: cron_jobs(cluster, old, FROM) == [])
            assert len(cron_jobs(cluster, old, TO)) == 1
            eventually(lambda: shown(cluster, old) == certificate)
            assert cluster.core.read_namespace(FROM)

            host.dokku("apps:rename", old, "mv-new")
            eventually(lambda: left_over(cluster, old, TO) == [])
            assert cluster.core.read_namespaced_secret("tls-mv-new", TO)
            host.dokku("apps:clone", "--skip-deploy", "mv-new", "mv-clone")
            assert left_over(cluster, "mv-clone", TO) == []
            assert not (host.lib / "config/scheduler-k3s/mv-clone/tls-cert-imported").exists()
            host.dokku("--force", "apps:destroy", "mv-clone")

            host.dokku("scheduler:set", "mv-new", "selected", "docker-local")
            done = host.dokku("ps:rebuild", "mv-new")
            assert f"Removed the releases of mv-new from namespace {TO} of the cluster" in done.stdout
            eventually(lambda: left_over(cluster, "mv-new", TO) == [])
            eventually(lambda: cron_jobs(cluster, "mv-new", TO) == [])
            assert not (host.lib / "data/scheduler-k3s/mv-new/deployed.json").exists()
    finally:
        host.dokku("--force", "apps:destroy", "mv-new", check=False)
        for namespace in (FROM, TO):
            cluster.kubectl("delete", "namespace", namespace, "--wait=false", check=False)
