"""The machine reboots under deployed apps: dokku's restore waits for the cluster instead of building anew."""

import threading

import pytest
from rig import target
from rig.cluster import Cluster, eventually
from rig.host import Host
from rig.node import lifecycle

from .apps import app, get, history

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.exclusive,
    pytest.mark.skipif(target.IS_EXISTING, reason="the cluster is not ours to stop"),
]


def test_apps_are_up_after_a_reboot_and_were_not_deployed_again(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "reboot", scale="web=1 worker=1") as name, app(host, "reboot-off") as off:
        host.dokku("git:from-image", name, sample_image)
        host.dokku("git:from-image", off, sample_image)
        host.dokku("ps:stop", off)
        lifecycle.cut_power()
        assert "false" in host.dokku("ps:report", name, "--ps-running").stdout
        booting = threading.Thread(target=lifecycle.start)
        booting.start()
        try:
            done = host.dokku("ps:restore", name)
        finally:
            booting.join()
        assert "Waiting for the Kubernetes API" in done.stdout
        assert "Installing" not in done.stdout
        eventually(lambda: get(name).startswith("hello"))
        eventually(lambda: "true" in host.dokku("ps:report", name, "--ps-running").stdout)
        assert "Installing" not in host.dokku("ps:restore", off).stdout
        assert (history(name), history(off)) == (["deployed"], ["deployed"])
