"""`ps:inspect` as people read it and other programs take it: JSON without what may be secret."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scheduler_k3s.operations import inspect
from unit.api_server import Pod, serve
from unit.dokku_host import Host

TRIGGER = Path(__file__).parents[3] / "triggers" / "scheduler-inspect"
SECRET = "hunter2"


def container(*env: Mapping[str, object]) -> dict[str, object]:
    return {"name": "c", "env": list(env)}


def test_values_are_hidden_but_for_those_that_dokku_sets() -> None:
    names = ("KEY", "DATABASE_URL", "PORTS", "MYPATH")
    shown = ("PORT", "PATH", "USER", "DYNO", "CACHE_PATH", "DOKKU_APP_NAME", "DOCKER_X")
    env = [{"name": name, "value": SECRET if name in names else "plain"} for name in (*names, *shown)]
    reference = {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    spec = {kind: [container(*env, reference)] for kind in ("containers", "initContainers")}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": SECRET, "kept": "yes"}
    metadata = {"name": "p", "managedFields": [SECRET], "annotations": applied}
    found = inspect.masked({"metadata": metadata, "spec": spec})
    assert SECRET not in json.dumps(found)
    assert found["metadata"] == {"name": "p", "annotations": {"kept": "yes"}}
    for kind in spec:
        *variables, last = found["spec"][kind][0]["env"]
        assert [item["value"] for item in variables] == ["XXXXXX"] * len(names) + ["plain"] * len(shown)
        assert last == reference
    assert SECRET in json.dumps(spec), "what was given stays as it is"


def test_all_pods_of_the_app_come_as_one_list(dokku: Host, tmp_path: Path) -> None:
    with serve() as api:
        dokku.store("--global", "kubeconfig-path", str(api.kubeconfig(tmp_path)))
        api.add(Pod("demo-web-b"), Pod("demo-web-a"), Pod("other-web-a", app="other"))
        done = subprocess.run([TRIGGER, "k3s", "demo"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert [pod["metadata"]["name"] for pod in found] == ["demo-web-a", "demo-web-b"]
    assert done.stdout == json.dumps(found, indent=4, sort_keys=True) + "\n"
