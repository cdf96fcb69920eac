"""nginx:show-config and the logs of nginx for an app that the cluster's ingress-nginx routes."""

import pytest
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import domain, get
from .oneoffs import deployed, ended, interrupt, run, start

pytestmark = pytest.mark.cluster


def test_what_ingress_nginx_has_for_an_app(host: Host, cluster: Cluster) -> None:
    with deployed(host, "proxied") as name, deployed(host, "proxiedtoo") as other:
        eventually(lambda: get(name, "/?first"))
        code, config, errors = run(host, "nginx:show-config", name)
        assert (code, errors) == (0, b"")
        assert f"server_name {domain(name)}" in config.decode()
        assert domain(other) not in config.decode()
        assert "## start server" not in config.decode()

        assert b"?first" in run(host, "nginx:access-logs", name)[1]
        following = start(host, "nginx:access-logs", name, "--tail")
        get(name, "/?second")
        assert following.stdout is not None
        assert any(b"?second" in line for line in following.stdout)
        interrupt(following)
        ended(following)
        assert run(host, "nginx:error-logs", name) == (0, b"", b"")

        host.dokku("proxy:set", name, "nginx")
        for command in ("nginx:show-config", "nginx:access-logs"):
            assert run(host, command, name) == (0, b"", b"")
