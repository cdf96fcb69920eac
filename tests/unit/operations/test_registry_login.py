"""A new login goes to the apps in the cluster, also where a command that was killed has left the release unfinished."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.operations import registry_login
from scheduler_k3s.tools import release
from unit.dokku_host import Host
from unit.helm_records import content, record
from unit.object_api import serve

NAME = "pull-secret-shop"
SECRETS = "/api/v1/namespaces/default/secrets"
OLD, NEW = (json.dumps({"auths": {"registry.example.com": {"auth": word}}}) for word in ("b2xk", "bmV3"))


def secret(login: str) -> dict[str, Any]:
    metadata = {"name": NAME, "namespace": "default", "labels": {}, "annotations": {}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(login.encode()).decode()},
    }


@pytest.mark.parametrize("status", ["deployed", "pending-upgrade"])
def test_a_login_reaches_an_app_in_the_cluster(
    dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    helm = tmp_path / "tools/bin/helm"
    helm.parent.mkdir(parents=True)
    helm.write_text('#!/bin/sh\ncat "$4/objects.json" >"$0.objects"\n')
    helm.chmod(0o755)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path / "tools"))
    Path(host.root(), "shop").mkdir(parents=True)
    properties.write("shop", "selected", "k3s", plugin="scheduler")
    Path(host.root(), ".docker").mkdir()
    Path(host.root(), ".docker/config.json").write_text(NEW)
    with serve() as api:
        kubeconfig = tmp_path / "kubeconfig"
        entry = {"name": "c", "cluster": {"server": api.url}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        kubeconfig.write_text(
            json.dumps({"current-context": "c", "clusters": [entry], "contexts": [context], "users": []})
        )
        Path(host.data("shop")).mkdir(parents=True)
        Path(host.data("shop"), "deployed.json").write_text(
            json.dumps({"namespace": "default", "kubeconfig-path": str(kubeconfig), "kube-context": ""})
        )
        item = record(
            content(1, status, name=NAME, manifest=f"---\n{json.dumps(secret(OLD))}\n"),
            revision=1,
            status=status,
        )
        item["metadata"]["name"] = f"sh.helm.release.v1.{NAME}.v1"
        item["metadata"]["labels"]["name"] = NAME
        api.put(f"{SECRETS}/sh.helm.release.v1.{NAME}.v1", **item)
        api.put(f"{SECRETS}/{NAME}", **secret(OLD))
        registry_login.logged_in("registry.example.com", "me")
        found = release.newest(api.cluster(), "default", NAME)
    assert json.loads(Path(f"{helm}.objects").read_text().removeprefix("---\n")) == secret(NEW)
    assert found is not None
    assert found.status == ("deployed" if status == "deployed" else "failed")
