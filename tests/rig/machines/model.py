"""Names, addresses and folders of the machines.

A laboratory is a group of machines on a switch of their own: laboratory 7 has the addresses 10.145.7.0/24, this
machine is 10.145.7.1 there, and its files lie in one folder, whose lock its owner holds.
"""

from dataclasses import dataclass
from pathlib import Path

from rig.node.model import BRIDGE_ADDRESS, REGISTRY_PORT
from rig.paths import CACHE

MACHINES = Path("/var/lib/scheduler-k3s-machines")
IMAGES = CACHE / "machines"
CGROUP = "scheduler-k3s-machines"
FIRST_ADDRESS = 10
LABORATORIES = range(1, 100)
# What k3s carries inside itself lies here in a machine, read-only.
PARTS = "/opt/k3s-parts"
APT_REPOSITORY = "/srv/apt"
REGISTRY = f"{BRIDGE_ADDRESS}:{REGISTRY_PORT}"
# What initialize and cluster:add install; machines lack it or have it, see image.py.
K3S_PACKAGES = ("ca-certificates", "curl", "open-iscsi", "nfs-common", "wireguard")
NEWEST = "v1.34.4+k3s1"
OLDER = "v1.34.3+k3s1"


@dataclass(frozen=True)
class Place:
    """A laboratory's number, and what follows from it."""

    number: int

    @property
    def folder(self) -> Path:
        return MACHINES / str(self.number)

    @property
    def gateway(self) -> str:
        """This machine's address among the laboratory's."""
        return f"10.145.{self.number}.1"

    @property
    def link(self) -> str:
        """This machine's network interface to the laboratory."""
        return f"rigm{self.number}"

    @property
    def cgroup(self) -> str:
        return f"{CGROUP}/{self.number}"

    def address(self, index: int) -> str:
        return f"10.145.{self.number}.{FIRST_ADDRESS + index}"
