"""A group of machines on one switch, made for a test module and gone after it."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rig.machines import dokku_host, holder, image, network
from rig.machines.dokku_host import DokkuHost
from rig.machines.machine import Machine
from rig.machines.model import CGROUP, LABORATORIES, MACHINES, Place
from rig.machines.servers import Servers
from rig.node import cgroups


class Laboratory:
    """Machines by name. `key` is the private ssh key that root and admin of every machine accept."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.machines: dict[str, Machine] = {}
        self.servers = Servers(place.gateway, place.folder)
        self.key = place.folder / "id_ed25519"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True, timeout=60
        )

    def machine(self, name: str, *, image_name: str = "prepared", interface: str = "eth0") -> Machine:
        """A new machine, switched on. The images are in image.py."""
        machine = Machine(self.place, len(self.machines), name, image.layers(image_name), interface=interface)
        self._switch_on(machine)
        return machine

    def dokku(
        self, name: str = "dokku", *, image_name: str = "dokku-prepared", interface: str = "eth0"
    ) -> DokkuHost:
        """A new machine with dokku and the plugin, whose user dokku has the key."""
        layers = [dokku_host.tools(), *image.layers(image_name)]
        machine = DokkuHost(
            self.place, len(self.machines), name, layers, interface=interface, seen=dokku_host.seen()
        )
        self._switch_on(machine)
        machine.set_up(self.servers, self.key)
        return machine

    def _switch_on(self, machine: Machine) -> None:
        self.machines[machine.name] = machine
        machine.boot()
        self._authorise(machine)
        self._trust(machine)

    def close(self) -> None:
        self.servers.close()

    def _trust(self, machine: Machine) -> None:
        """Lets the machine trust the servers, now or as soon as it has the package that trust is a matter of."""
        authority = self.servers.authority.read_text()
        machine.write("/usr/local/share/ca-certificates/rig.crt", authority)
        machine.run(["sh", "-c", "if command -v update-ca-certificates; then update-ca-certificates; fi"])

    def _authorise(self, machine: Machine) -> None:
        public = self.key.with_suffix(".pub").read_text()
        machine.write("/root/.ssh/authorized_keys", public, mode=0o600)
        machine.run(["install", "-d", "-o", "admin", "-g", "admin", "-m", "700", "/home/admin/.ssh"])
        machine.write("/home/admin/.ssh/authorized_keys", public, mode=0o600, owner="admin")


@contextlib.contextmanager
def laboratory() -> Iterator[Laboratory]:
    """A laboratory of its own, whatever else runs on this machine; torn down completely at the end."""
    for number in LABORATORIES:
        place = Place(number)
        with _owned(place) as is_ours:
            if not is_ours:
                continue
            _remove(place)
            place.folder.mkdir(parents=True)
            try:
                network.start_switch(place)
                with contextlib.closing(Laboratory(place)) as laboratory:
                    yield laboratory
            finally:
                _remove(place)
            return
    raise holder.HolderError(f"all {len(LABORATORIES)} laboratories are in use")


def clean() -> list[int]:
    """Removes what laboratories without an owner have left, and returns their numbers."""
    removed = []
    for path in sorted(MACHINES.glob("*.lock")):
        place = Place(int(path.stem))
        with _owned(place) as is_ours:
            if is_ours and place.folder.exists():
                _remove(place)
                removed.append(place.number)
    return removed


@contextlib.contextmanager
def _owned(place: Place) -> Iterator[bool]:
    """Whether nobody else has this laboratory; the kernel lets go of the lock when its owner ends, however it ends."""
    MACHINES.mkdir(parents=True, exist_ok=True)
    path = MACHINES / f"{place.number}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        is_ours = _locked(descriptor, path)
        yield is_ours
        if is_ours:
            path.unlink()
    finally:
        os.close(descriptor)


def _locked(descriptor: int, path: Path) -> bool:
    """A lock on a file that its last owner has removed meanwhile is none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _remove(place: Place) -> None:
    """Ends the machines and the switch, of this run or of one that crashed, and takes their files away."""
    for record in place.folder.glob("*/machine.json"):
        holder.end(record)
    network.stop_switch(place)
    cgroups.remove(place.cgroup)
    for root in cgroups.roots():
        with contextlib.suppress(OSError):  # others may have theirs in it
            (root / CGROUP).rmdir()
    shutil.rmtree(place.folder, ignore_errors=True)
    if place.folder.exists():
        raise holder.HolderError(f"{place.folder} cannot be removed")
