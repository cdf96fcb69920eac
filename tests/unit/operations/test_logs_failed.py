"""Why the newest deploy failed, told again afterwards: the release's record, the cluster and one look."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from scheduler_k3s.operations import logs_failed, place
from unit.helm_records import content, record
from unit.kube_objects import Object, deployment, event, exited, pod, replica_set, unschedulable, waiting
from unit.object_api import ObjectApi, serve

APPS, CORE = "/apis/apps/v1/namespaces/default", "/api/v1/namespaces/default"
LABELS = {"app.kubernetes.io/part-of": "shop", "app.kubernetes.io/name": "web"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    monkeypatch.delenv("HELM_DRIVER", raising=False)
    with serve() as served:
        where = SimpleNamespace(namespace="default", cluster=served.cluster)
        monkeypatch.setattr(place, "of", lambda app: where)
        yield served


def revised(api: ObjectApi, status: str, name: str = "shop-web", why: str = "") -> None:
    stored = content(2, status)
    template = {"metadata": {"annotations": {"app.kubernetes.io/version": "200"}}}
    metadata = {"name": name, "labels": LABELS}
    item = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": template},
    }
    stored["manifest"] = f"---\n# Source: shop/templates/objects.yaml\n{json.dumps(item)}\n"
    stored["info"]["description"] = why
    api.put(f"{CORE}/secrets/sh.helm.release.v1.shop.v2", **record(stored, revision=2, status=status))


def put(api: ObjectApi, base: str, kind: str, item: Object, **metadata: Any) -> None:
    item = {**item, "metadata": {**item["metadata"], "labels": LABELS, **metadata}}
    api.put(f"{base}/{kind}/{item['metadata']['name']}", **item)


def rolled(api: ObjectApi, *pods: Object, **status: Any) -> None:
    put(api, APPS, "deployments", deployment(**status))
    put(api, APPS, "replicasets", replica_set())
    for item in pods:
        put(api, CORE, "pods", item)


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    logs_failed.logs_failed("shop")
    return capsys.readouterr().out.splitlines()


def test_a_crash_is_told_with_its_last_words(api: ObjectApi, capsys: pytest.CaptureFixture[str]) -> None:
    revised(api, "failed", why="Deploy of shop failed: web cannot come up")
    rolled(api, pod(containers=[waiting("CrashLoopBackOff", restarts=2, last=exited(3))]))
    api.logs[f"{CORE}/pods/shop-web-r2-a/log?previous=true"] = "DATABASE_URL is not set\n"
    assert told(capsys) == [
        "Revision 2 of shop failed: Deploy of shop failed: web cannot come up",
        "web: pod shop-web-r2-a: exited with code 3, 3 times",
        "  its last log lines:",
        "    DATABASE_URL is not set",
    ]


def test_what_ended_the_deploy_early_is_told_at_the_first_look(
    api: ObjectApi, capsys: pytest.CaptureFixture[str]
) -> None:
    revised(api, "failed")
    rolled(api, unschedulable(message="0/1 nodes are available: 1 Insufficient cpu."))
    lines = told(capsys)
    assert lines[:2] == [
        "Revision 2 of shop failed",
        "web: pod shop-web-r2-a: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.",
    ]
    assert "scheduler-k3s:cluster:add" in lines[2]


def test_a_failure_without_pods_is_told(api: ObjectApi, capsys: pytest.CaptureFixture[str]) -> None:
    revised(api, "failed", why='Upgrade "shop" failed: admission webhook denied the request')
    rolled(api)
    assert told(capsys)[0] == (
        'Revision 2 of shop failed: Upgrade "shop" failed: admission webhook denied the request'
    )


def test_a_renamed_deployment_is_found(api: ObjectApi, capsys: pytest.CaptureFixture[str]) -> None:
    revised(api, "failed", name="blue-shop-web")
    put(api, APPS, "deployments", deployment(), name="blue-shop-web")
    put(api, APPS, "replicasets", replica_set())
    put(api, CORE, "pods", pod(containers=[waiting("ContainerCreating")]))
    mount = event("FailedMount", 3, 'secret "x" not found', "Warning")
    api.put(f"{CORE}/events/1", **mount, involvedObject={"name": "shop-web-r2-a"})
    assert told(capsys)[1] == 'web: pod shop-web-r2-a: NotReady: secret "x" not found'


@pytest.mark.parametrize("status", ["deployed", "pending-upgrade", ""])
def test_without_a_failed_revision_nothing_failed(
    api: ObjectApi, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    if status:
        revised(api, status)
    logs_failed.logs_failed("shop")
    assert capsys.readouterr().err == " !     No failed containers found\n"
