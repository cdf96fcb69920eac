"""Apps of the scheduler that was there before are noted where they are."""

import json

from scheduler_k3s.operations import adopt, place
from scheduler_k3s.operations.place import Place
from unit.dokku_host import Host


def deployed(dokku: Host, app: str, scheduler: str = "k3s") -> None:
    dokku.app(app)
    for plugin, name, value in (("common", "deployed", "true"), ("scheduler", "selected", scheduler)):
        path = dokku.lib / "config" / plugin / app / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)


def test_deployed_apps_of_this_scheduler_are_noted_once(dokku: Host) -> None:
    dokku.store("--global", "kubeconfig-path", "/k")
    deployed(dokku, "old")
    deployed(dokku, "docker", "docker-local")
    dokku.app("new")
    dokku.store("old", "namespace", "team")
    adopt.note_deployed()
    noted = Place("team", "/k", "")
    assert place.of("old") == noted
    assert [path.parent.name for path in dokku.data.glob("*/deployed.json")] == ["old"]
    dokku.store("old", "namespace", "other")
    adopt.note_deployed()
    assert place.of("old") == noted, "where it is, not where it is to go"


def test_a_deploy_knows_for_sure(dokku: Host) -> None:
    assert adopt.is_adopted("old")
    adopt.write("old", Place("team", "/k", ""), adopted=True)
    assert adopt.is_adopted("old")
    adopt.write("old", Place("team", "/k", ""))
    assert not adopt.is_adopted("old")
    assert json.loads((dokku.data / "old/deployed.json").read_text()) == {
        "namespace": "team",
        "kubeconfig-path": "/k",
        "kube-context": "",
        "release": "old",
    }
