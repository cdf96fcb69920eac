"""Operations on one app at the same time: one after the other, and never a mixture."""

import subprocess

import pytest
from rig import target
from rig.admission import gate
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import app, deployment, history, left_over, pods, pushed

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(target.IS_EXISTING, reason="the API server has to reach this machine's loopback"),
]

WAITING = "Waiting for another operation on {} to end (process "


def until(running: "subprocess.Popen[str]", text: str) -> None:
    assert running.stdout is not None
    said = []
    for line in running.stdout:
        said.append(line)
        if text in line:
            return
    raise AssertionError(f"ended without saying {text!r}:\n{''.join(said)}")


def test_changes_during_a_deploy_come_after_it(host: Host, cluster: Cluster, sample_image: str) -> None:
    with app(host, "changing", config={"KEY": "old"}) as name:
        host.dokku("git:from-image", name, sample_image)
        with gate(cluster, name, "apps/deployments", dry=False) as held:
            deploy = host.start("ps:restart", name)
            assert held.reached.wait(30)
            config = host.start("config:set", name, "KEY=new")
            until(config, WAITING.format(name))
            scale = host.start("ps:scale", name, "web=2")
            until(scale, WAITING.format(name))
            held.opened.set()
            outputs = [each.communicate(timeout=120)[0] for each in (deploy, config, scale)]
        assert [each.returncode for each in (deploy, config, scale)] == [0, 0, 0], outputs
        assert history(name) == ["superseded", "superseded", "superseded", "deployed"]
        assert deployment(cluster, f"{name}-web").spec.replicas == 2
        eventually(lambda: len(pods(cluster, name, "web")) == 2)
        for pod in pods(cluster, name, "web"):
            words = ("exec", pod.metadata.name, "--namespace=default", "--", "sh", "-c", "echo $KEY")
            assert cluster.kubectl(*words).stdout == "new\n"


def test_an_app_that_is_destroyed_while_it_is_deployed_is_gone(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "doubtful") as name:
        pushed(host, name, sample_image)
        with gate(cluster, name, "apps/deployments", dry=False) as held:
            deploy = host.start("ps:restart", name)
            assert held.reached.wait(30)
            destroy = host.start("--force", "apps:destroy", name)
            until(destroy, WAITING.format(name))
            held.opened.set()
            outputs = [each.communicate(timeout=120)[0] for each in (deploy, destroy)]
        assert destroy.returncode == 0, outputs
        eventually(lambda: not left_over(cluster, name))
        assert not (host.lib / f"data/scheduler-k3s/{name}/deployed.json").exists()
        host.dokku("apps:create", name)
        host.dokku("ps:scale", "--skip-deploy", name, "web=1")
        pushed(host, name, sample_image)
        host.dokku("ps:restart", name)
        assert history(name) == ["deployed"]
