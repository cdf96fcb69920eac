"""A stopped node leaves nothing; run by itself with `-m slow_node`, for it ends the node that others may use."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from rig import images, target
from rig.cluster import Cluster, eventually
from rig.node import health, lifecycle, objects
from rig.node.model import DOCKER_SOCKET
from rig.paths import STATE
from rig.sample_objects import deployment, ingress, service

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow_node,
    pytest.mark.skipif(target.IS_EXISTING, reason="the cluster is not ours to stop"),
]

_SETTINGS = ("fs/inotify", "kernel", "net/ipv4", "net/ipv6", "net/netfilter", "vm")
# Readings, not settings; and what a device has while it exists.
_VOLATILE = re.compile(
    r"random/|ns_last_pid|/neigh/|/conf/(?!all/|default/)|nf_conntrack_count|kernel/(pty/nr|perf|tainted|spl)"
    r"|stat_refresh|boot_id|vm/.*_bytes$|/route/flush"
)
_PLACES = (
    "/etc",
    "/opt",
    "/run",
    "/tmp/hostpath_pv",
    "/usr/libexec",
    "/var/lib",
    "/var/lib/cni",
    "/var/log",
    "/var/log/nginx",
)


def traces() -> dict[str, set[str]]:
    """What of a node could be seen on this machine."""
    found = {
        "processes": {line for line in lines("ps", "-eo", "args") if str(STATE) in line},
        "mounts": {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()},
        "links": {line.split(": ")[1] for line in lines("ip", "-oneline", "link")},
        "addresses": {" ".join(line.split()[:4]) for line in lines("ip", "-oneline", "address")},
        "routes": set(lines("ip", "route", "show", "table", "all")),
        "rules": {
            line
            for family in ("iptables", "ip6tables")
            for line in lines(f"{family}-save")
            if line[:2] == "-A"
        },
        "cgroups": {str(path) for path in Path("/sys/fs/cgroup").rglob("*rig*")},
        "settings": settings(),
    }
    for place in _PLACES:
        if Path(place).is_dir():
            found[place] = {entry.name for entry in os.scandir(place)}
    return found


def settings() -> set[str]:
    found = set()
    for folder in _SETTINGS:
        for path in sorted((Path("/proc/sys") / folder).rglob("*")):
            if path.is_file() and not _VOLATILE.search(str(path)):
                try:
                    found.add(f"{path}={path.read_text().strip()}")
                except OSError:  # some may only be written
                    continue
    return found


def lines(*argv: str) -> list[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout.splitlines()


@pytest.fixture
def stopped() -> None:
    lifecycle.stop()


def test_stop_leaves_nothing(stopped: None) -> None:
    docker_was_there = health.docker_answers(DOCKER_SOCKET)
    before = traces()
    lifecycle.start()
    cluster = Cluster()
    image = images.sample()
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    app = deployment(image, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    app["spec"]["template"]["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    ]
    cluster.apply("default", claim, app, service(), ingress("stop.example.com"))
    eventually(lambda: cluster.fetch("http://stop.example.com/health").status == 200)
    images.docker("run", "--detach", "--publish", "127.0.0.1::5000", image)
    assert differences(before, traces())
    lifecycle.stop()
    left = differences(before, traces())
    assert not left, json.dumps(left, indent=1)
    assert health.docker_answers(DOCKER_SOCKET) == docker_was_there


def differences(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    changes = {
        name: sorted(before.get(name, set()) ^ after.get(name, set()))
        for name in before.keys() | after.keys()
    }
    return {name: entries for name, entries in changes.items() if entries}


def test_a_second_traefik_takes_the_place_of_the_third(stopped: None) -> None:
    lifecycle.start(traefik=2)
    cluster = Cluster()
    assert objects.traefik_version() == 2
    shown = cluster.kubectl(
        "get", "customresourcedefinition", "ingressroutes.traefik.io", "--output=json"
    ).stdout
    schema = json.loads(shown)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    rule = schema["properties"]["spec"]["properties"]["routes"]["items"]["properties"]
    assert "syntax" not in rule
    lifecycle.start(traefik=3)
    assert objects.traefik_version() == 3
    lifecycle.stop()
    assert not STATE.exists()
