"""Taking apps out of a cluster that is away: dokku's part goes on, and what is left is not forgotten.

What happens in a cluster that is there is tested on a real one.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import destroy, left_behind, place, target
from unit.api_server import Api, serve
from unit.dokku_host import Host

TRIGGER = Path(__file__).parents[3] / "triggers" / "scheduler-post-delete"
JOBS = "/apis/batch/v1/namespaces/team/jobs"
SECRETS = "/api/v1/namespaces/team/secrets"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    """A cluster that holds no release any more, but a Job of the app and one of somebody else."""
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        dokku.store("demo", "namespace", "team")
        managed = {"name": "demo-run-1", "annotations": {"dokku.com/managed": "true"}}
        served.objects[JOBS] = [{"metadata": managed}, {"metadata": {"name": "foreign"}}]
        served.objects[SECRETS] = []
        yield served


def call(app: str = "demo") -> tuple[int, str, str]:
    argv = [str(TRIGGER), "k3s", app, "latest"]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def note(dokku: Host, app: str, namespace: str, kubeconfig: str) -> Path:
    path = dokku.data / app / "deployed.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"namespace": namespace, "kubeconfig-path": kubeconfig, "kube-context": "", "release": app}
    path.write_text(json.dumps(known))
    return path


def deleted(api: Api) -> list[str]:
    return [path for method, path, _ in api.requests if method == "DELETE"]


def test_jobs_of_the_app_go_and_those_of_others_stay(api: Api) -> None:
    assert call() == (0, "", "")
    assert deleted(api) == [f"{JOBS}/demo-run-1"]


@pytest.mark.parametrize("length", [47, 60, 70])
def test_an_app_whose_name_is_too_long_for_a_release_is_destroyed(api: Api, dokku: Host, length: int) -> None:
    """No selector may hold more than 63 letters; helm's releases have at most 53."""
    api.faults.append(
        lambda method, path, query: (
            (400, "must be no more than 63 characters")
            if any(len(word.rpartition("=")[2]) > 63 for word in query.get("labelSelector", "").split(","))
            else None
        )
    )
    app = "b" * length
    dokku.store(app, "namespace", "team")
    assert call(app) == (0, "", "")
    assert left_behind.known() == []


def test_what_the_logs_plugin_keeps_goes_too(api: Api, dokku: Host) -> None:
    logs = dokku.lib / "data/logs/demo"
    setting = dokku.lib / "config/logs/demo/max-size"
    for path in (logs, setting.parent):
        path.mkdir(parents=True)
    setting.write_text("10m")
    assert call()[0] == 0
    assert not logs.exists()
    assert not setting.exists()


def test_what_a_cluster_that_is_away_keeps_is_said_and_removed_by_a_later_destroy(
    api: Api, dokku: Host, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    deployed = note(dokku, "demo", "team", str(kubeconfig))
    away = kubeconfig.rename(tmp_path / "away")
    code, output, errors = call()
    assert (code, output) == (0, "")
    assert "demo, tls-demo, config-demo, pull-secret-demo in namespace team" in errors
    assert not deployed.exists()
    assert left_behind.known() == [left_behind.Remains("demo", place.Place("team", str(kubeconfig), ""))]
    dokku.store("other", "namespace", "team")
    call("other")
    assert left_behind.known() != []
    away.rename(kubeconfig)
    api.objects[JOBS].pop(1)
    code, output, errors = call("other")
    assert (code, errors) == (0, "")
    assert "Removed demo, destroyed earlier, from namespace team" in output
    assert deleted(api)[-1] == f"{JOBS}/demo-run-1"
    assert left_behind.known() == []
    assert not (dokku.data / "demo").exists()


def test_what_belongs_to_an_app_that_exists_again_is_left_alone(
    api: Api, dokku: Host, tmp_path: Path
) -> None:
    where = place.Place("team", str(tmp_path / "kubeconfig"), "")
    remains = left_behind.Remains("demo", where)
    left_behind.remember(remains)
    dokku.app("demo")
    destroy.clean()
    assert deleted(api) == []
    (dokku.root / "demo").rmdir()
    assert left_behind.known() == [remains]
    note(dokku, "demo", "team", where.kubeconfig)
    assert left_behind.known() == []
    (dokku.data / "demo/deployed.json").unlink()
    assert left_behind.known() == [], "the new deploy took it over"


def test_an_app_with_dots_is_remembered_by_its_name(dokku: Host) -> None:
    remains = left_behind.Remains("my.app.x", place.Place("team-a", "/k", "c"))
    left_behind.remember(remains)
    assert left_behind.known() == [remains]
    left_behind.forget(remains)
    assert left_behind.known() == []


@pytest.mark.parametrize("app", ["", "..", "a/b", "-x", ".left-behind"])
def test_what_is_no_app_is_refused(dokku: Host, app: str) -> None:
    with pytest.raises(PluginError):
        destroy.destroy(app)


def test_an_app_of_another_scheduler_is_only_removed_if_it_was_deployed_here(
    api: Api, dokku: Host, tmp_path: Path
) -> None:
    destroy.remaining("demo")
    assert api.requests == []
    deployed = note(dokku, "demo", "team", str(tmp_path / "kubeconfig"))
    destroy.remaining("demo")
    assert deleted(api) == [f"{JOBS}/demo-run-1"]
    assert not deployed.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"namespace": "x"}', "\x00"])
def test_a_damaged_note_is_as_none(dokku: Host, content: str) -> None:
    path = note(dokku, "demo", "team", "/k")
    path.write_text(content)
    assert place.of("demo") == place.Place("default", target.DEFAULT_KUBECONFIG, "")


@pytest.mark.skipif(target.k3s_is_absent(target.DEFAULT_KUBECONFIG) is False, reason="this host runs k3s")
def test_where_k3s_was_never_installed_nothing_is_left(dokku: Host) -> None:
    assert call() == (0, "", " !     k3s is not installed, skipping\n")
    assert left_behind.known() == []


def test_the_end_of_an_app_takes_it_out_of_the_cluster_before_its_note_goes(
    api: Api, dokku: Host, tmp_path: Path
) -> None:
    """dokku renames by destroying the old app with the scheduler that is then the global one."""
    note(dokku, "demo", "team", str(tmp_path / "kubeconfig"))
    trigger = str(TRIGGER.parent / "post-delete")
    done = subprocess.run([trigger, "demo", ""], capture_output=True, text=True, check=True, timeout=60)
    said = "       Removed the releases of demo from namespace team of the cluster\n"
    assert (done.stdout, done.stderr) == (said, "")
    assert deleted(api) == [f"{JOBS}/demo-run-1"]
    assert not (dokku.data / "demo").exists()
