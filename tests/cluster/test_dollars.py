"""Dollars reach a container as they are: Kubernetes would expand `$(NAME)` and `$$` in commands and in env."""

import pytest
from rig import images
from rig.cluster import Cluster
from rig.host import Host

from .apps import app, pods

pytestmark = pytest.mark.cluster

PROCFILE = """web: /app/bin/web '$(PORT)' '$$' '$$(PORT)' "$PORT" '$PORT' '$(' $NOBODY '{{ .Values }}'
"""
ARGS = ["$(PORT)", "$$", "$$(PORT)", "5000", "$PORT", "$(", "{{ .Values }}"]
CONFIG = {"REFERS": "$(PORT)", "TWICE": "$$", "BARE": "$PORT", "COMMAND": "$(id)"}


def read(cluster: Cluster, name: str, path: str) -> list[str]:
    (pod,) = pods(cluster, name, "web")
    text = cluster.kubectl("exec", pod.metadata.name, "--namespace=default", "--", "cat", path).stdout
    return text.removesuffix("\0").split("\0")


def test_the_command_line_and_the_environment_of_a_pod(host: Host, cluster: Cluster) -> None:
    serve = "#!/bin/sh\nhttpd -f -p $PORT -h /app &\nwait\n"
    image = images.build("rig/dollars:v1", files={"app/bin/web": serve, "app/Procfile": PROCFILE})
    with app(host, "dollars", config=CONFIG) as name:
        host.dokku("git:from-image", name, image)
        assert read(cluster, name, "/proc/1/cmdline") == ["/bin/sh", "/app/bin/web", *ARGS]
        environment = read(cluster, name, "/proc/1/environ")
        assert [
            f"{key}={value}" for key, value in CONFIG.items() if f"{key}={value}" not in environment
        ] == []
        assert "PORT=5000" in environment
        script = 'printf "%s\\n" "$0" "$1" "$GIVEN"'
        words = ("run", "--env", "GIVEN=$(TWICE) $$", name, "sh", "-c", script, "$(TWICE)", "$$")
        assert host.dokku(*words).stdout.splitlines() == ["$(TWICE)", "$$", "$(TWICE) $$"]
