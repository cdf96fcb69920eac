"""`dokku logs` while a deploy replaces the pods that are followed."""

import threading
from collections import Counter

import pytest
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import none_leaving, pods
from .oneoffs import deployed, interrupt, run, start

pytestmark = pytest.mark.cluster
WEB = """#!/bin/sh
echo "begin $COLOUR"
trap 'echo "end $COLOUR"; exit 0' TERM
httpd -f -p 5000 &
wait
"""


def test_following_passes_from_the_old_pods_to_the_new(host: Host, cluster: Cluster) -> None:
    image = images.build("rig/spoken", files={"app/web": WEB}, cmd=["sh", "/app/web"])
    with deployed(host, "spoken", image, scale="web=2") as name:
        following = start(host, "logs", name, "--tail")
        seen: list[bytes] = []

        def read() -> None:
            assert following.stdout is not None
            seen.extend(following.stdout)

        reader = threading.Thread(target=read)
        reader.start()
        host.dokku("config:set", name, "COLOUR=green")
        wanted = Counter({b"begin blue": 2, b"end blue": 2, b"begin green": 2})

        def said() -> Counter[bytes]:
            return Counter(line.partition(b": ")[2].strip() for line in list(seen))

        eventually(lambda: said() == wanted)
        interrupt(following)
        reader.join(30)
        assert said() == wanted

        eventually(lambda: none_leaving(cluster, name))
        current = sorted(pod.metadata.name for pod in pods(cluster, name, "web"))
        for number, pod in enumerate(current, 1):
            shown = run(host, "logs", name, "-p", f"web.{number}")
            assert shown == (0, f"app[{pod}]: begin green\n".encode(), b"")
        assert b"There is no web.3" in run(host, "logs", name, "-p", "web.3")[2]
