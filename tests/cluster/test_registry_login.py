"""A registry login reaches the apps in the cluster at once, and no pod is made anew for it."""

import base64
import json

import pytest
from rig import target
from rig.cluster import Cluster
from rig.host import Host

from .apps import app, deployment, history

pytestmark = pytest.mark.cluster


def login_of(cluster: Cluster, name: str) -> str:
    """User and password that the cluster pulls with."""
    stored = cluster.core.read_namespaced_secret(f"pull-secret-{name}", "default")
    config = json.loads(base64.b64decode(stored.data[".dockerconfigjson"]))
    return base64.b64decode(config["auths"][target.REGISTRY]["auth"]).decode()


def test_a_login_reaches_the_apps_it_is_for_without_a_redeploy(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "login-one") as one, app(host, "login-two") as two:
        for name in (one, two):
            host.dokku("registry:login", name, target.REGISTRY, "me", "old")
            host.dokku("git:from-image", name, sample_image)
            assert login_of(cluster, name) == "me:old"
        before = deployment(cluster, f"{one}-web").metadata
        done = host.dokku("registry:login", one, target.REGISTRY, "me", "new")
        assert f"-----> Updating the pull secrets of {one}\n" in done.stdout
        assert (login_of(cluster, one), login_of(cluster, two)) == ("me:new", "me:old")
        after = deployment(cluster, f"{one}-web").metadata
        assert (after.generation, after.uid) == (before.generation, before.uid)
        assert history(f"pull-secret-{one}") == ["superseded", "deployed"]
        done = host.dokku("registry:login", one, target.REGISTRY, "me", "new")
        assert "Updating" not in done.stdout
