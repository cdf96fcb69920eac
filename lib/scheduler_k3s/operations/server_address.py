"""The address of this server: what other nodes dial, and what k3s is told to use."""

import ipaddress
import json
from typing import NamedTuple

from scheduler_k3s import log, settings
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.command import run

ROUTES = "/proc/net/route"
_SET_INTERFACE = "dokku scheduler-k3s:set --global network-interface NAME"


class Found(NamedTuple):
    address: str
    interface: str
    """Empty for an address of no interface that k3s could use, such as loopback."""


def find(given: str = "") -> Found:
    """The address given, which must be this host's, else the detected one, which is said. Errors: PluginError."""
    if given:
        return _checked(given, interfaces())
    found = detect()
    log.detail_quiet(f"Using server ip address: {found.address}")
    return found


def detect() -> Found:
    """The last IPv4 address of `network-interface`; without such an interface, of the one with the default route.

    Errors: PluginError.
    """
    known = interfaces()
    name = settings.value(settings.GLOBAL, "network-interface")
    is_set = bool(properties.read(settings.GLOBAL, "network-interface"))
    if name not in known and not is_set:
        name = default_interface() or name
    if not known.get(name):
        others = ", ".join(
            f"{other} {' '.join(found)}" for other, found in known.items() if other != "lo" and found
        )
        raise PluginError(
            "Unable to get server ip address: "
            f"Unable to determine server ip address from network-interface {name}\n"
            f"Interfaces with an IPv4 address: {others or 'none'}. Choose one with: {_SET_INTERFACE}"
        )
    return Found(known[name][-1], name)


def interfaces() -> dict[str, list[str]]:
    """The IPv4 addresses of each interface, in the kernel's order."""
    try:
        found = json.loads(run(["ip", "-4", "-json", "address", "show"]).stdout or b"[]")
    except ValueError:
        raise PluginError(
            "Unable to get server ip address: `ip -4 -json address show` gave no JSON"
        ) from None
    return {
        str(entry.get("ifname")): [
            str(each["local"]) for each in entry.get("addr_info", []) if "local" in each
        ]
        for entry in found
    }


def default_interface() -> str:
    """The interface of the IPv4 default route with the lowest metric; empty when there is none."""
    with open(ROUTES, encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    defaults = [(int(row[6]), row[0]) for row in rows if len(row) > 7 and row[1] == row[7] == "00000000"]
    return min(defaults)[1] if defaults else ""


def _checked(given: str, known: dict[str, list[str]]) -> Found:
    try:
        address = ipaddress.IPv4Address(given)
    except ValueError:
        raise PluginError(
            f"Invalid server-ip: {given}, must be an IPv4 address, for example 10.0.0.5"
        ) from None
    if address.is_loopback:
        return Found(given, "")
    for name, addresses in known.items():
        if given in addresses:
            return Found(given, name)
    others = ", ".join(each for name, found in known.items() if name != "lo" for each in found)
    raise PluginError(
        f"Invalid server-ip: {given}, no interface of this host has it. There are: {others or 'none'}"
    )
