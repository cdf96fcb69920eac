"""An app's kustomization on its way from the source to the deploys that use it."""

import os
from pathlib import Path

import pytest
from scheduler_k3s.dokku import extracted
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import objects
from scheduler_k3s.operations import kustomization
from scheduler_k3s.operations.extract import extract
from scheduler_k3s.operations.promote import promote
from scheduler_k3s.tools import private
from unit.dokku_host import Host
from unit.models import shop, web, worker

FILE = "kustomization.yaml"


@pytest.fixture
def tree(dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source whose app uses the scheduler, in a dokku command of id 77."""
    monkeypatch.setenv("DOKKU_PID", "77")
    (dokku.data / "shop").mkdir(parents=True)
    select(dokku, "k3s")
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def select(dokku: Host, scheduler: str) -> None:
    path = dokku.lib / "config/scheduler/shop/selected"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(scheduler)


def fill(tree: Path, text: str = "one", path: str = "config/kustomize", name: str = FILE) -> None:
    (tree / path).mkdir(parents=True, exist_ok=True)
    (tree / path / name).write_text(text)


def used() -> str | None:
    """The kustomization that a deploy goes by now."""
    found = extracted.path("scheduler-k3s", "shop", "kustomization")
    return (Path(found) / FILE).read_text() if found else None


def entries(dokku: Host) -> list[str]:
    return sorted(path.name for path in (dokku.data / "shop").iterdir())


def test_from_a_push_to_later_deploys(dokku: Host, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tree)
    extract("shop", str(tree))
    assert used() == "one"
    monkeypatch.setenv("DOKKU_PID", "78")
    assert used() is None
    monkeypatch.setenv("DOKKU_PID", "77")
    promote("shop")
    monkeypatch.setenv("DOKKU_PID", "78")
    assert used() == "one"
    assert entries(dokku) == ["kustomization"]


def test_a_deploy_that_failed_leaves_the_old_one_in_use(
    dokku: Host, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tree)
    extract("shop", str(tree))
    promote("shop")
    monkeypatch.setenv("DOKKU_PID", "78")
    fill(tree, "two")
    extract("shop", str(tree))
    assert used() == "two"
    monkeypatch.setenv("DOKKU_PID", "79")
    assert used() == "one"
    fill(tree, "three")
    extract("shop", str(tree))
    assert entries(dokku) == ["kustomization", "kustomization.79"]
    promote("shop")
    assert used() == "three"


def test_a_removed_kustomization_is_gone(dokku: Host, tree: Path) -> None:
    fill(tree)
    extract("shop", str(tree))
    promote("shop")
    (tree / "config/kustomize" / FILE).unlink()
    (tree / "config/kustomize").rmdir()
    extract("shop", str(tree))
    assert used() is None
    promote("shop")
    assert used() is None
    assert entries(dokku) == []


def test_the_directory_is_a_setting(dokku: Host, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dokku.store("shop", "kustomize-root-path", "deploy")
    fill(tree, "here", "deploy")
    extract("shop", str(tree))
    assert used() == "here"
    dokku.store("shop", "kustomize-root-path", "nowhere")
    extract("shop", str(tree))
    assert used() is None
    assert "kustomize-root-path of shop is nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_the_names_that_are_accepted(dokku: Host, tree: Path, name: str) -> None:
    fill(tree, name=name)
    extract("shop", str(tree))
    assert entries(dokku) == ["kustomization.77"]


def test_a_directory_without_one_ends_the_build(dokku: Host, tree: Path) -> None:
    fill(tree, name="patch.yaml")
    with pytest.raises(PluginError, match=r"has none of kustomization.yaml, kustomization.yml and Kustomiz"):
        extract("shop", str(tree))
    assert entries(dokku) == []


def test_apps_of_other_schedulers_are_left_alone(dokku: Host, tree: Path) -> None:
    select(dokku, "docker-local")
    fill(tree, name="patch.yaml")
    extract("shop", str(tree))
    promote("shop")
    assert entries(dokku) == []


def test_app_json_is_checked_before_the_build(
    dokku: Host, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dokku's own plugin has put the file of this deploy aside by then."""
    monkeypatch.setattr(private, "load_packages", lambda: None)
    directory = dokku.lib / "data/app-json/shop"
    directory.mkdir(parents=True)
    (directory / "app.json").write_text("{}")
    (directory / "app.json.77").write_text('{"healthchecks": {"web": [{"timeout": "x"}]}} // wrong')
    with pytest.raises(
        PluginError, match=r"app.json: healthchecks.web\[0\].timeout: 'x' is not of type integer"
    ):
        extract("shop", str(tree))
    assert entries(dokku) == []
    (directory / "app.json.77").write_text('{"healthchecks": ')
    with pytest.raises(PluginError, match=r"app.json of shop: line 1, column 18"):
        extract("shop", str(tree))


def test_an_app_without_kustomization_is_deployed_as_it_is(dokku: Host, tree: Path) -> None:
    del dokku, tree
    item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop-web"}}
    assert kustomization.apply("shop", [item]) == [item]


@pytest.mark.usefixtures("tree")
def test_what_killed_processes_left_is_removed_and_no_other_s_work(dokku: Host) -> None:
    gone = 2**22 + 1  # above any process id
    for work in (f"kustomize-{gone}-x", f"kustomize-{os.getpid()}-y", "kustomize-old"):
        (dokku.data / "shop" / work / "kustomization").mkdir(parents=True)
    assert kustomization.apply("shop", []) == []
    assert entries(dokku) == [f"kustomize-{os.getpid()}-y"]
    assert kustomization.apply("never-deployed", []) == []


def test_what_a_kustomization_takes_away_is_told_and_what_it_renames_is_not() -> None:
    model = shop(web(), worker())
    made = objects.build(model)
    assert kustomization.losses(model, made) == []
    blue = [
        {**item, "metadata": {**item["metadata"], "name": f"{item['metadata']['name']}-blue"}}
        for item in made
    ]
    assert kustomization.losses(model, blue) == []
    (told,) = kustomization.losses(model, blue[:-1])
    assert told == "The kustomization of shop takes away: Deployment shop-worker"
    (told,) = kustomization.losses(model, [])
    assert "leaves none of the app's own objects" in told
