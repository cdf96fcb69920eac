"""Labels and annotations of users: on which objects they get, and which wins."""

from typing import Any

import pytest
from scheduler_k3s.app import App
from scheduler_k3s.manifests import objects, secret
from unit.models import shop, web, worker

Object = dict[str, Any]


def app(annotations: Object, labels: Object) -> App:
    return shop(
        web(),
        worker(),
        domains=("a.example.com",),
        annotations=annotations,
        labels=labels,
        pull_secrets=["x"],
    )


def made(**maps: Object) -> dict[str, Object]:
    """The metadata of every object, by kind and name; that of a Deployment's pods under `Pod`."""
    model = app(maps.get("annotations", {}), maps.get("labels", {}))
    found = {}
    for item in [*objects.build(model), secret.config(model), secret.pull_secret(model, b"{}")]:
        found[f"{item['kind']} {item['metadata']['name']}"] = item["metadata"]
        if item["kind"] == "Deployment":
            found[f"Pod {item['metadata']['name']}"] = item["spec"]["template"]["metadata"]
    return found


@pytest.mark.parametrize("kind", ["annotations", "labels"])
@pytest.mark.parametrize(
    ("resource", "process", "expected"),
    [
        ("deployment", "--global", ["Deployment shop-web", "Deployment shop-worker"]),
        ("deployment", "worker", ["Deployment shop-worker"]),
        ("pod", "--global", ["Pod shop-web", "Pod shop-worker"]),
        ("pod", "web", ["Pod shop-web"]),
        ("service", "--global", ["Service shop-web"]),
        ("service", "web", ["Service shop-web"]),
        ("service", "worker", []),
        ("ingress", "--global", ["Ingress shop-web-a-example-com"]),
        ("ingress", "web", ["Ingress shop-web-a-example-com"]),
        ("serviceaccount", "--global", ["ServiceAccount shop"]),
        ("serviceaccount", "web", []),
        ("secret", "--global", ["Secret config-shop", "Secret pull-secret-shop"]),
        ("secret", "web", []),
        ("job", "--global", []),
    ],
)
def test_each_resource_type_reaches_its_objects_and_no_other(
    kind: str, resource: str, process: str, expected: list[str]
) -> None:
    found = made(**{kind: {f"{process}.{resource}": {"example.com/a": "1"}}})
    assert sorted(name for name, metadata in found.items() if "example.com/a" in metadata[kind]) == expected


@pytest.mark.parametrize("kind", ["annotations", "labels"])
def test_the_process_wins_over_the_app_over_what_is_built_in(kind: str) -> None:
    built_in = {"annotations": "dokku.com/managed", "labels": "app.kubernetes.io/name"}[kind]
    maps = {
        "--global.deployment": {"a": "app", "b": "app", built_in: "app"},
        "web.deployment": {"b": "web"},
    }
    found = made(**{kind: maps})
    web_, worker_ = found["Deployment shop-web"][kind], found["Deployment shop-worker"][kind]
    assert (web_["a"], web_["b"], web_[built_in]) == ("app", "web", "app")
    assert (worker_["a"], worker_["b"], worker_[built_in]) == ("app", "app", "app")


def test_everything_says_that_dokku_made_it() -> None:
    for metadata in made().values():
        assert metadata["annotations"]["dokku.com/managed"] == "true"
        assert metadata["labels"]["app.kubernetes.io/part-of"] == "shop"


def test_a_user_s_value_wins_over_an_nginx_property() -> None:
    name = "nginx.ingress.kubernetes.io/proxy-body-size"
    for process in ("--global", "web"):
        model = shop(
            web(),
            domains=("a.example.com",),
            nginx={"client-max-body-size": "1m"},
            annotations={f"{process}.ingress": {name: "9m"}},
        )
        assert objects.build(model)[-1]["metadata"]["annotations"][name] == "9m"
