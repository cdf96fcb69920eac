"""Where an app is that is to go elsewhere, and how its routes change over, on an API that keeps objects."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import adopt, left_behind, moves, place
from scheduler_k3s.operations.left_behind import Remains
from scheduler_k3s.operations.moves import Origin
from scheduler_k3s.operations.place import Place
from unit.dokku_host import Host
from unit.helm_records import content, record
from unit.object_api import Object, ObjectApi, serve

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"
CRON_JOBS = "/apis/batch/v1/namespaces/{}/cronjobs"
PART_OF = {"app.kubernetes.io/part-of": "shop"}
REPOSITORY = "registry.example.com/dokku/shop"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[ObjectApi]:
    with serve() as served:
        served.groups[KUBE_SYSTEM] = {"metadata": {"uid": "one"}}
        dokku.store("--global", "kubeconfig-path", kubeconfig(served, tmp_path / "kubeconfig"))
        yield served


def kubeconfig(api: ObjectApi, path: Path) -> str:
    known = {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": api.url}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(json.dumps(known))
    return str(path)


def ingress(namespace: str, host: str, name: str = "shop-web") -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(PART_OF), "annotations": {}},
        "spec": {"rules": [{"host": host}]},
    }


def places(api: ObjectApi, namespace: str) -> list[Place]:
    return [origin.place for origin in moves.origins(api.cluster(), "shop", namespace, REPOSITORY)]


def test_an_app_that_stays_is_not_asked_about(api: ObjectApi, tmp_path: Path) -> None:
    adopt.write("shop", Place("team", str(tmp_path / "kubeconfig"), ""))
    assert places(api, "team") == []
    assert api.asked == []


def test_another_namespace_is_left_with_its_routes(api: ObjectApi, tmp_path: Path) -> None:
    noted = Place("old", str(tmp_path / "kubeconfig"), "")
    adopt.write("shop", noted)
    api.objects[f"{INGRESSES.format('old')}/shop-web"] = ingress("old", "a.com")
    (origin,) = moves.origins(api.cluster(), "shop", "team", REPOSITORY)
    assert origin.place == noted
    assert [item["metadata"]["name"] for item in origin.routes] == ["shop-web"]
    assert moves.announced("shop", "team") == ["The next deploy moves shop from namespace old to team"]
    assert moves.announced("shop", "old") == []


def test_a_kubeconfig_that_moved_is_the_same_cluster(api: ObjectApi, tmp_path: Path) -> None:
    adopt.write("shop", Place("team", kubeconfig(api, tmp_path / "before"), ""))
    assert places(api, "team") == []
    (tmp_path / "before").unlink()
    assert places(api, "team") == []


def test_another_cluster_is_told_by_what_is_in_it(api: ObjectApi, tmp_path: Path) -> None:
    with serve() as other:
        other.groups[KUBE_SYSTEM] = {"metadata": {"uid": "two"}}
        noted = Place("team", kubeconfig(other, tmp_path / "other"), "")
        adopt.write("shop", noted)
        assert places(api, "team") == [noted]


def test_what_cannot_be_asked_is_remembered(
    api: ObjectApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = Place("old", str(tmp_path / "none"), "")
    adopt.write("shop", noted)
    assert places(api, "team") == []
    assert "shop may still run there, in namespace old" in capsys.readouterr().err
    adopt.write("shop", Place("team", str(tmp_path / "kubeconfig"), ""))
    assert left_behind.known() == [Remains("shop", noted)]


@pytest.mark.parametrize(
    ("image", "manifest", "deployed", "found"),
    [
        (f"{REPOSITORY}:3", "dokku.com/managed", "true", True),
        (f"{REPOSITORY}:3", "dokku.com/managed", "", False),
        ("other.example.com/dokku/shop:3", "dokku.com/managed", "true", False),
        (f"{REPOSITORY}:3", "somebody else's", "true", False),
    ],
    ids=["ours", "never deployed", "another host's", "not dokku's"],
)
def test_an_app_without_a_note_is_looked_for_by_its_release(
    api: ObjectApi, dokku: Host, *, image: str, manifest: str, deployed: str, found: bool
) -> None:
    common = dokku.lib / "config/common/shop/deployed"
    common.parent.mkdir(parents=True)
    common.write_text(deployed)
    kept = record(
        content(
            chart={"metadata": {"version": "0.0.1"}, "values": {"global": {"image": {"name": image}}}},
            manifest=manifest,
        )
    )
    path = "/api/v1/namespaces/default/secrets/sh.helm.release.v1.shop.v3"
    api.objects[path] = kept
    api.groups["/api/v1/secrets"] = {"items": [kept]}
    assert [where.namespace for where in places(api, "team")] == (["default"] if found else [])
    assert places(api, "default") == []


def swap(api: ObjectApi) -> None:
    old = ingress("old", "a.com", "shop-web-a")
    api.objects[f"{INGRESSES.format('old')}/shop-web-a"] = old
    api.put(f"{CRON_JOBS.format('old')}/shop-cron-1", metadata={"labels": PART_OF}, spec={"suspend": False})
    origin = Origin(Place("old", "/k", ""), api.cluster(), (old,))
    moves.swap(api.cluster(), "shop", [origin], [ingress("team", "a.com", "shop-web-a")])


def test_routes_change_over_host_by_host_and_cron_tasks_start_once(api: ObjectApi) -> None:
    swap(api)
    assert api.objects[f"{CRON_JOBS.format('old')}/shop-cron-1"]["spec"] == {"suspend": True}
    writes = [(method, path) for method, path, _ in api.asked if method in ("POST", "DELETE")]
    assert writes == [
        ("DELETE", f"{INGRESSES.format('old')}/shop-web-a"),
        ("POST", INGRESSES.format("team")),
    ]
    made = api.objects[f"{INGRESSES.format('team')}/shop-web-a"]["metadata"]
    assert made["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert made["annotations"] == {
        "meta.helm.sh/release-name": "shop",
        "meta.helm.sh/release-namespace": "team",
    }


def test_an_old_route_comes_back_when_the_new_one_is_refused(api: ObjectApi) -> None:
    created: list[Any] = []

    def refuse(method: str, item: Object) -> str:
        if method == "POST":
            created.append(item["metadata"]["namespace"])
        return "no" if method == "POST" and item["metadata"]["namespace"] == "team" else ""

    api.refusal = refuse
    with pytest.raises(PluginError, match="no"):
        swap(api)
    assert created == ["team", "old"]


def test_a_move_that_fails_leaves_the_app_where_it_was(dokku: Host) -> None:
    dokku.app("shop")
    old, new = Place("old", "/k", ""), Place("team", "/k", "")
    adopt.write("shop", old)
    api = ObjectApi()
    origin = Origin(old, api.cluster())
    with pytest.raises(PluginError) as caught, moves.tried("shop", new, [origin]):
        raise PluginError("pod exited")
    assert caught.value.message.startswith("pod exited\nshop stays in namespace old. ")
    assert "removed by the next one" in caught.value.message
    assert left_behind.known() == [Remains("shop", new)]
    adopt.write("shop", new)
    assert left_behind.known() == [], "it went there after all"


def test_the_note_of_a_place_is_read_back(dokku: Host) -> None:
    adopt.write("shop", Place("team", "/k", "c"))
    assert place.of("shop") == Place("team", "/k", "c")
