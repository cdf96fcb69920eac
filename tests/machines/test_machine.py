"""The machines themselves: they behave as servers do, and leave nothing behind."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rig.machines import laboratory as laboratories
from rig.machines.laboratory import Laboratory
from rig.machines.machine import Machine
from rig.machines.model import CGROUP, MACHINES, Place
from rig.node import cgroups

_UNIT = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture(scope="module")
def machine(lab: Laboratory) -> Machine:
    return lab.machine("plain", image_name="plain", interface="ens3")


def _ssh(lab: Laboratory, machine: Machine, user: str, *words: str) -> "subprocess.CompletedProcess[str]":
    known = lab.place.folder / "known_hosts"
    known.write_text(machine.known_host)
    options = ["-i", str(lab.key), "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes"]
    argv = ["ssh", "-F", "none", *options, f"{user}@{machine.address}", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


def test_is_reached_by_ssh_and_sudo_needs_no_password(lab: Laboratory, machine: Machine) -> None:
    asked = _ssh(lab, machine, "admin", "id -un; sudo -n id -un; uname -n; ip -4 -brief address show ens3")
    user, root, name, interface = asked.stdout.splitlines()
    assert (user, root, name) == ("admin", "root", "plain"), asked.stderr
    assert f"{machine.address}/24" in interface
    assert _ssh(lab, machine, "root", "true").returncode == 0


def test_packages_that_k3s_needs_are_missing_and_can_be_installed(machine: Machine) -> None:
    assert machine.run(["which", "curl"], check=False).returncode == 1
    machine.run(["apt-get", "update"])
    machine.run(["apt-get", "-y", "install", "acl"])
    assert machine.exists("/usr/bin/setfacl")
    found = machine.run(["apt-get", "--simulate", "install", "curl", "open-iscsi", "nfs-common", "wireguard"])
    assert "Inst wireguard-tools" in found.stdout


def test_keeps_its_disk_and_starts_enabled_services_when_the_plug_was_pulled(machine: Machine) -> None:
    machine.write("/etc/systemd/system/sleeper.service", _UNIT)
    machine.run(["systemctl", "enable", "--now", "sleeper"])
    machine.write("/tmp/gone", "x")
    before = machine.read("/proc/sys/kernel/random/boot_id"), machine.read("/etc/machine-id")
    machine.power_off()
    with pytest.raises(OSError, match=r"."):
        socket.create_connection((machine.address, 22), timeout=1).close()
    machine.boot()
    machine.run(["systemctl", "is-system-running", "--wait"], check=False)
    assert machine.run(["systemctl", "is-active", "sleeper"]).stdout == "active\n"
    assert not machine.exists("/tmp/gone")
    assert machine.read("/etc/machine-id") == before[1]
    machine.run(["systemctl", "disable", "--now", "sleeper"])


def test_unplugged_it_does_not_answer_and_runs_on(machine: Machine) -> None:
    machine.unplug()
    with pytest.raises(OSError, match=r"."):
        socket.create_connection((machine.address, 22), timeout=1).close()
    assert machine.run(["cat", "/proc/sys/kernel/hostname"]).stdout == "plain\n"
    machine.plug()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection((machine.address, 22), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the machine does not answer after it was plugged in again")


def test_a_saved_disk_comes_back(machine: Machine) -> None:
    machine.write("/var/lib/rancher/there", "before")
    machine.shut_down()
    machine.save("before")
    machine.boot()
    machine.write("/var/lib/rancher/there", "after")
    machine.write("/etc/new", "after")
    machine.restore("before")
    machine.boot()
    assert machine.read("/var/lib/rancher/there") == "before"
    assert not machine.exists("/etc/new")


def test_signals_reach_the_program(machine: Machine) -> None:
    process = machine.popen(
        ["sh", "-c", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.1; done"]
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    machine.interrupt(process, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "caught\n"
    assert process.returncode == 7


def test_what_a_killed_run_has_left_is_removed() -> None:
    program = (
        "import time\nfrom rig.machines.laboratory import laboratory\n"
        "with laboratory() as lab:\n"
        "    lab.machine('left')\n    print(lab.place.number, flush=True)\n    time.sleep(600)\n"
    )
    tests = str(Path(__file__).parents[1])
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": tests, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(Path.home())},
    )
    assert owner.stdout
    place = Place(int(owner.stdout.readline()))
    assert _traces(place), "the machine runs"
    owner.kill()
    owner.wait()
    owner.stdout.close()
    laboratories.clean()
    assert _traces(place) == []


def _traces(place: Place) -> list[str]:
    """Processes, mounts, links, cgroups and files of a laboratory."""
    found = [str(place.folder)] if place.folder.exists() else []
    links = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    found += [line for line in links.splitlines() if line.startswith(f"{place.link}@")]
    found += [str(root / place.cgroup) for root in cgroups.roots() if (root / place.cgroup).exists()]
    found += [
        line for line in Path("/proc/self/mounts").read_text().splitlines() if str(place.folder) in line
    ]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"{MACHINES}/{place.number}/" in words or f"{CGROUP}/{place.number}/" in words:
            found.append(words)
    return found
