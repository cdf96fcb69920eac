"""Kinds that a cluster has, loses, or has in an older form: its API server judges by definitions of this test alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import yaml
from kubernetes import client
from rig import target
from rig.cluster import Cluster, eventually
from rig.host import Host
from rig.node.versions import TRAEFIK
from scheduler_k3s.app import Tls
from scheduler_k3s.manifests import traefik
from unit.models import shop, web

from .apps import app, deployment, history, left_over, place, pushed

pytestmark = pytest.mark.cluster

THING_KUSTOMIZATION = """resources: [rendered.yaml, thing.yaml]
"""
THING = """apiVersion: gone.rig.test/v1
kind: Thing
metadata: {name: NAME}
"""
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@contextmanager
def defined(cluster: Cluster, *definitions: dict[str, Any]) -> Iterator[list[str]]:
    """The definitions, until the end of the test at most; yields their names."""
    names = [item["metadata"]["name"] for item in definitions]
    document = {"apiVersion": "v1", "kind": "List", "items": list(definitions)}
    cluster.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(document))
    try:
        kinds = [f"customresourcedefinition/{name}" for name in names]
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=180s", *kinds)
        yield names
    finally:
        cluster.kubectl("delete", "customresourcedefinition", "--ignore-not-found", *names)


def definition(group: str, kind: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": ANYTHING},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [version],
        },
    }


def test_a_kind_that_has_gone_stops_neither_deploy_nor_destroy(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "lostkind") as name:
        pushed(host, name, sample_image)
        directory = f"data/scheduler-k3s/{name}/kustomization"
        file = place(host, f"{directory}/kustomization.yaml", THING_KUSTOMIZATION)
        place(host, f"{directory}/thing.yaml", THING.replace("NAME", name))
        with defined(cluster, definition("gone.rig.test", "Thing")):
            host.dokku("ps:restart", name)
            assert cluster.kubectl("get", "things.gone.rig.test", name, "--namespace=default").stdout
        refused = host.dokku("ps:restart", name, check=False)
        assert "The cluster does not know Thing of gone.rig.test/v1" in refused.stderr
        assert history(name) == ["deployed"]
        file.write_text("resources: [rendered.yaml]\n")
        host.dokku("ps:restart", name)
        assert history(name) == ["superseded", "deployed"]
        assert deployment(cluster, f"{name}-web").status.ready_replicas == 1
        file.write_text(THING_KUSTOMIZATION)
        with defined(cluster, definition("gone.rig.test", "Thing")):
            host.dokku("ps:restart", name)
        host.dokku("--force", "apps:destroy", name)
        eventually(lambda: not left_over(cluster, name))


@pytest.mark.skipif(target.IS_EXISTING, reason="the definitions are the rig's")
def test_traefik_2_takes_the_objects_that_are_made_for_it(cluster: Cluster, namespace: str) -> None:
    """Its definitions, in a group of their own: the cluster has those of version 3."""
    group = "traefik2.rig.test"
    found = []
    for path in sorted(TRAEFIK[2].folder.rglob("*.y*ml")):
        for item in yaml.safe_load_all(path.read_text()):
            kinds = ("ingressroutes", "middlewares")
            if item["spec"]["group"] == "traefik.io" and item["spec"]["names"]["plural"] in kinds:
                item["spec"]["group"] = group
                item["metadata"]["name"] = f"{item['spec']['names']['plural']}.{group}"
                found.append(item)
    domains = ("shop.example.com", "*.shop.example.com")
    model = replace(shop(domains=domains, tls=Tls("tls-shop-web")), namespace=namespace)
    api = client.CustomObjectsApi(cluster.api)
    with defined(cluster, *found) as names:
        assert len(names) == 2
        made = traefik.routes(model, web())
        assert [item["kind"] for item in made] == ["Middleware", "Middleware", "IngressRoute", "IngressRoute"]
        for item in made:
            item["apiVersion"] = f"{group}/v1alpha1"
            item["metadata"]["namespace"] = namespace
            created = api.create_namespaced_custom_object(
                group, "v1alpha1", namespace, f"{item['kind'].lower()}s", item, field_validation="Strict"
            )
            assert created["spec"] == item["spec"]
        item["spec"]["routes"][1]["syntax"] = "v2"
        item["metadata"]["name"] = "of-version-3"
        with pytest.raises(client.ApiException, match=r"unknown field .*syntax"):
            api.create_namespaced_custom_object(
                group, "v1alpha1", namespace, "ingressroutes", item, field_validation="Strict"
            )
