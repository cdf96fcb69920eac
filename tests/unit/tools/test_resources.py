"""Where objects are, what changes between two of them, and what the API server says to that."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import resources
from scheduler_k3s.tools.cluster import ApiError
from scheduler_k3s.tools.resources import Refused, Resources, manifest_objects, merge_patch
from unit.object_api import ObjectApi, serve

Object = dict[str, Any]
SERVICES = "/api/v1/namespaces/default/services"
OURS = {"meta.helm.sh/release-name": "shop"}


@pytest.fixture
def api() -> Iterator[ObjectApi]:
    with serve() as served:
        yield served


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin's own packages: those of the tests."""
    (tmp_path / "python" / str(sys.implementation.cache_tag)).mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))


def service(port: int = 80, **metadata: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop-web", "namespace": "default", **metadata},
        "spec": {"ports": [{"port": port}]},
    }


# paths


@pytest.mark.parametrize(
    ("version", "kind", "path"),
    [
        ("v1", "Secret", "/api/v1/namespaces/my%20ns/secrets/a%2Fb"),
        ("v1", "ServiceAccount", "/api/v1/namespaces/my%20ns/serviceaccounts/a%2Fb"),
        ("apps/v1", "Deployment", "/apis/apps/v1/namespaces/my%20ns/deployments/a%2Fb"),
        ("batch/v1", "CronJob", "/apis/batch/v1/namespaces/my%20ns/cronjobs/a%2Fb"),
        ("networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/namespaces/my%20ns/ingresses/a%2Fb"),
    ],
)
def test_common_kinds_need_no_question(api: ObjectApi, version: str, kind: str, path: str) -> None:
    item = {"apiVersion": version, "kind": kind, "metadata": {"name": "a/b", "namespace": "my ns"}}
    assert Resources(api.cluster()).path(item) == path
    assert api.asked == []


def test_other_kinds_are_looked_up_once_per_group(api: ObjectApi) -> None:
    group = "/apis/cert-manager.io/v1"
    api.groups[group] = {
        "resources": [
            {"kind": "Certificate", "name": "certificates/status", "namespaced": True},
            {"kind": "Certificate", "name": "certificates", "namespaced": True},
            {"kind": "ClusterIssuer", "name": "clusterissuers", "namespaced": False},
        ]
    }
    finder = Resources(api.cluster())
    metadata = {"name": "x", "namespace": "default"}
    certificate = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata}
    issuer = {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": metadata}
    assert finder.path(certificate) == f"{group}/namespaces/default/certificates/x"
    assert finder.path(issuer) == f"{group}/clusterissuers/x"
    assert [path for _, path, _ in api.asked] == [group]


def test_a_kind_that_the_cluster_does_not_know(api: ObjectApi) -> None:
    item = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "x"}}
    with pytest.raises(PluginError, match=r"does not know ScaledObject of keda\.sh/v1alpha1.*ensure-charts"):
        Resources(api.cluster()).path(item)


# patches


def applied(target: Any, patch: Any) -> Any:
    """A JSON merge patch as RFC 7386 has it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = applied(result.get(name), value)
    return result


KEYS = st.sampled_from("abcd")
SCALARS = st.integers(0, 3) | st.text("xy", max_size=2) | st.booleans()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_the_patch_turns_the_one_into_the_other(before: Object, after: Object) -> None:
    assert applied(before, merge_patch(before, after)) == after


@given(OBJECTS, OBJECTS, OBJECTS)
def test_the_patch_leaves_alone_what_others_added(before: Object, after: Object, added: Object) -> None:
    foreign = {f"other-{name}": value for name, value in added.items()}
    assert applied({**before, **foreign}, merge_patch(before, after)) == {**after, **foreign}


def test_lists_go_as_a_whole() -> None:
    assert merge_patch({"a": [1, 2], "b": 1}, {"a": [2]}) == {"a": [2], "b": None}


# the objects of a manifest


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (service(), ("", "Service", "default", "shop-web")),
        ({"apiVersion": "apps/v1", "kind": "X", "metadata": {"name": "a"}}, ("apps", "X", "", "a")),
        (
            {"apiVersion": "traefik.io/v1alpha1", "kind": "X", "metadata": {"name": "a"}},
            ("traefik.io", "X", "", "a"),
        ),
    ],
)
def test_the_identity_of_an_object(item: Object, expected: tuple[str, ...]) -> None:
    assert resources.key(item) == expected


def test_a_new_version_of_a_group_is_the_same_object() -> None:
    old = {"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "a", "namespace": "b"}}
    assert resources.key(old) == resources.key({**old, "apiVersion": "batch/v1"})


GO_MANIFEST = """\
---
# Source: shop/templates/service.yaml
apiVersion: v1
kind: Service
metadata:
  name: shop-web
  namespace: default
  annotations:
    dokku.com/managed: "true"
spec:
  ports:
    - name: http-80-5000
      port: 80
---
# Source: shop/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-web
  annotations:
    text: |
      # no comment
      --- no end
    # a comment
    app.kubernetes.io/version: "1700000000"
---
# Source: shop/templates/nothing.yaml
---
# Source: shop/templates/ingress.yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: "on"
"""


@pytest.mark.usefixtures("packages")
def test_manifests_of_the_earlier_plugin_are_yaml() -> None:
    found = manifest_objects(GO_MANIFEST)
    assert [(item["kind"], item["metadata"]["name"]) for item in found] == [
        ("Service", "shop-web"),
        ("Deployment", "shop-web"),
        ("Ingress", "on"),
    ]
    assert found[0]["spec"] == {"ports": [{"name": "http-80-5000", "port": 80}]}
    assert found[1]["metadata"]["annotations"] == {
        "text": "# no comment\n--- no end\n",
        "app.kubernetes.io/version": "1700000000",
    }


def test_our_manifests_are_read_without_any_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", "/nonexistent")
    objects = [service(), {"kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "\n---\n# x\n"}}]
    source = "# Source: shop/templates/objects.yaml\n"
    manifest = "".join(f"---\n{source}{json.dumps(item, indent=1)}\n" for item in objects)
    assert manifest_objects(manifest) == objects
    assert manifest_objects("") == []


@pytest.mark.usefixtures("packages")
def test_a_manifest_that_is_neither_is_refused() -> None:
    with pytest.raises(PluginError, match="manifest of the current release: it is not YAML"):
        manifest_objects("---\nkind: [\n")


@pytest.mark.usefixtures("packages")
@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text("ab: #\n-'\"é", min_size=1), st.text("ab: #\n-'\"é")), max_size=3))
def test_yaml_of_any_texts_is_told_apart(contents: list[dict[str, str]]) -> None:
    objects = [{"kind": "Secret", "metadata": {"name": "x"}, "data": data} for data in contents]
    manifest = "".join(f"---\n# Source: x\n{yaml.safe_dump(item, allow_unicode=True)}" for item in objects)
    assert manifest_objects(manifest) == objects


# the dry run


def dry_run(api: ObjectApi, item: Object, before: Object | None = None) -> None:
    Resources(api.cluster()).dry_run(item, before, "shop")


def refusal(api: ObjectApi, item: Object, before: Object | None = None) -> str:
    with pytest.raises(Refused) as raised:
        dry_run(api, item, before)
    assert (raised.value.kind, raised.value.object_name) == ("Service", "shop-web")
    return raised.value.message


def test_a_new_object_is_created_dry(api: ObjectApi) -> None:
    dry_run(api, service())
    assert api.asked == [("POST", SERVICES, {"dryRun": "All", "fieldValidation": "Strict"})]
    assert api.objects == {}


def test_an_object_of_ours_is_changed_dry(api: ObjectApi) -> None:
    live = api.put(f"{SERVICES}/shop-web", **service(annotations=OURS))
    dry_run(api, service(81), service())
    assert api.asked == [
        ("PATCH", f"{SERVICES}/shop-web", {"dryRun": "All", "fieldValidation": "Strict"}),
    ]
    assert api.objects[f"{SERVICES}/shop-web"] == live


def test_an_object_that_the_release_has_but_the_cluster_has_not(api: ObjectApi) -> None:
    dry_run(api, service(81), service())
    assert [method for method, _, _ in api.asked] == ["PATCH", "POST"]


def test_an_object_of_ours_that_no_release_knows_may_stay(api: ObjectApi) -> None:
    api.put(f"{SERVICES}/shop-web", **service(annotations=OURS))
    dry_run(api, service())
    assert [method for method, _, _ in api.asked] == ["POST", "PATCH"]


@pytest.mark.parametrize("before", [None, service()])
@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({"meta.helm.sh/release-name": "other"}, "belongs to the helm release other"),
        ({}, "was not made by dokku"),
    ],
)
def test_an_object_of_somebody_else_is_not_taken(
    api: ObjectApi, annotations: dict[str, str], told: str, before: Object | None
) -> None:
    api.put(f"{SERVICES}/shop-web", **service(annotations=annotations))
    message = refusal(api, service(), before)
    assert message.startswith("Service shop-web would be refused: an object of that name exists and ")
    assert told in message


@pytest.mark.parametrize("exists", [False, True])
def test_a_webhook_s_reason_is_told(api: ObjectApi, exists: bool) -> None:
    if exists:
        api.put(f"{SERVICES}/shop-web", **service(annotations=OURS))
    why = 'admission webhook "policy.example.com" denied the request: no ports below 100'
    api.refusal = lambda method, item: why if item["spec"]["ports"][0]["port"] < 100 else ""
    assert refusal(api, service(), service(101) if exists else None) == (
        f"Service shop-web would be refused: {why}"
    )
    dry_run(api, service(101), service() if exists else None)


def test_another_conflict_is_not_taken_for_an_object_that_exists(api: ObjectApi) -> None:
    api.refusal = lambda method, item: "quota" if method == "POST" else ""
    assert refusal(api, service()) == "Service shop-web would be refused: quota"


def test_an_object_that_is_being_deleted_at_that_moment_is_refused_once(api: ObjectApi) -> None:
    """It is there for the creation and gone for the change: an end, not a loop."""
    path = f"{SERVICES}/shop-web"
    api.put(path, **service(annotations=OURS))

    def vanish(method: str, item: Object) -> str:
        if method == "PATCH":
            api.objects.pop(path, None)
        return ""

    api.refusal = vanish
    assert "not found" in refusal(api, service())
    assert len(api.asked) == 2


def test_a_server_that_fails_is_a_refusal_with_its_words(api: ObjectApi) -> None:
    api.down = 500
    assert refusal(api, service()) == "Service shop-web would be refused: the server is down"


def test_a_question_about_a_group_that_fails_is_no_missing_kind(api: ObjectApi) -> None:
    api.down = 403
    item = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "x"}}
    with pytest.raises(ApiError) as raised:
        Resources(api.cluster()).path(item)
    assert raised.value.code == 403
