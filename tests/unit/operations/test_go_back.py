"""Which apps dokku's own scheduler could not deploy any more."""

from pathlib import Path
from typing import Any

import pytest
from scheduler_k3s.manifests.metadata import triplet
from scheduler_k3s.operations import go_back
from scheduler_k3s.operations.place import Place
from unit.api_server import serve
from unit.dokku_host import Host

WHERE = Place("team", "/k", "")


def deployment(kind: str, selector: dict[str, str], labels: "dict[str, str] | None" = None) -> dict[str, Any]:
    template = {"metadata": {"labels": {**triplet("shop", kind), **(labels or {})}}}
    return {
        "metadata": {"name": f"shop-{kind}", "labels": triplet("shop", kind)},
        "spec": {"selector": {"matchLabels": {**triplet("shop", kind), **selector}}, "template": template},
    }


def test_an_app_without_labels_can_be_deployed_by_either(dokku: Host) -> None:
    assert go_back.commands("shop", WHERE, [deployment("web", {})]) == []


def test_selectors_that_it_made_are_its_own(dokku: Host) -> None:
    dokku.store("shop", "labels.--global.pod", '{"team": "a", "tier": "x"}')
    dokku.store("shop", "labels.web.pod", '{"tier": "front"}')
    both = [
        deployment("web", {"team": "a", "tier": "front"}),
        deployment("worker", {"team": "a", "tier": "x"}),
    ]
    assert go_back.commands("shop", WHERE, both) == []


def test_pods_that_have_the_labels_serve_on_and_others_go(dokku: Host) -> None:
    dokku.store("shop", "labels.--global.pod", '{"team": "a"}')
    made_here = [deployment("web", {}, {"team": "a"}), deployment("worker", {})]
    delete = "kubectl --kubeconfig /k --namespace team delete deployment shop-"
    assert go_back.commands("shop", WHERE, made_here) == [
        f"{delete}web --cascade=orphan",
        f"{delete}worker",
        "dokku ps:rebuild shop",
    ]


def test_the_list_names_apps_of_this_scheduler_and_a_cluster_that_is_away(
    dokku: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for app in ("shop", "blog"):
        dokku.app(app)
    selected = dokku.lib / "config/scheduler/shop/selected"
    selected.parent.mkdir(parents=True)
    selected.write_text("k3s")
    dokku.store("shop", "labels.--global.pod", '{"team": "a"}')
    with serve() as api:
        kubeconfig = api.kubeconfig(tmp_path)
        dokku.store("--global", "kubeconfig-path", str(kubeconfig))
        api.objects["/apis/apps/v1/namespaces/default/deployments"] = [deployment("web", {}, {"team": "a"})]
        go_back.tell()
        said = capsys.readouterr().err
        assert (
            f" !         kubectl --kubeconfig {kubeconfig} --namespace default delete deployment shop-web"
            in said
        )
        assert said.endswith(" !         dokku ps:rebuild shop\n")
    kubeconfig.unlink()
    go_back.tell()
    assert "it is not known which apps" in capsys.readouterr().err
