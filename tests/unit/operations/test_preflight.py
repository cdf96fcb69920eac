"""What a host is found to be: this machine, with an address of the test's."""

import os
import socket
from pathlib import Path

import pytest
from scheduler_k3s import host_check
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import preflight
from scheduler_k3s.operations.preflight import Wanted
from unit.dokku_host import Host


def test_this_machine(dokku: Host) -> None:
    """Against other sources of the same facts."""
    with open("/proc/meminfo", encoding="ascii") as file:
        kilobytes = int(file.readline().split()[1])
    found = preflight.gather(is_resumed=False)
    assert abs(found.memory - kilobytes // 1024) <= 1
    assert (found.machine, found.cores) == (os.uname().machine, len(os.sched_getaffinity(0)))
    assert found.has_cgroup_v2 == ("cgroup2 /sys/fs/cgroup " in Path("/proc/mounts").read_text())


def test_a_taken_port_and_all_wrong_words_are_said_together(
    dokku: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(host_check, "PORTS", (port,))
        dokku.store("--global", "k3s-release-url", "https://mirror")
        dokku.store("--global", "token", "two words")
        with pytest.raises(PluginError) as error:
            preflight.check(
                Wanted(server_ip="1.2.3.4", kubelet_args=["x"], without=["kedo", "longhorn"]), False
            )
    said = error.value.message
    for text in (
        "Invalid server-ip: 1.2.3.4",
        "Invalid kubelet-args: x",
        'Invalid chart name "kedo"',
        "Invalid token: *******",
        "k3s-release-url needs k3s-version",
        f"k3s needs port {port}, held by ",
    ):
        assert text in said
    assert "two words" not in said


def test_which_charts_are_left_out(dokku: Host) -> None:
    dokku.store("--global", "charts-disabled", "longhorn, vector")
    assert preflight.disabled(Wanted()) == ["longhorn", "vector"]
    assert preflight.disabled(Wanted(without=["keda"])) == ["keda"]
    assert preflight.disabled(Wanted(without=[])) == []
