"""What the node changes in this machine's network, and the way back."""

import re
import subprocess
from collections.abc import Iterable

from rig.node.model import BRIDGE, BRIDGE_ADDRESS, BRIDGE_RANGE, POD_RANGE, SERVICE_RANGE

_OUR_CHAIN = re.compile(r"^(KUBE|CNI)-")
_DOCKER_CHAIN = re.compile(r"^DOCKER")
# Docker's rules outside of its chains: they name its bridge, or lead a container with a published port to itself.
_DOCKER_RULE = re.compile(r" docker0( |$)|^-A POSTROUTING -s (\S+)/32 -d \2/32 .*-j MASQUERADE$")


def make_bridge() -> None:
    """The bridge on which API server and nodes have their addresses.

    Services are routed to it, so that without kube-proxy's rules a packet to one ends there and leaves the machine
    never; so are the pods, whose own links are more specific routes.
    """
    if _ip("link", "show", BRIDGE):
        return
    length = BRIDGE_RANGE.partition("/")[2]
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{BRIDGE_ADDRESS}/{length}", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    for addresses in (SERVICE_RANGE, POD_RANGE):
        _ip("route", "add", addresses, "dev", BRIDGE)


def remove_links(names: Iterable[str]) -> None:
    for name in names:
        _ip("link", "delete", name)


def links() -> set[str]:
    """The names of this machine's network interfaces."""
    lines = subprocess.run(
        ["ip", "-oneline", "link", "show"], capture_output=True, text=True, check=True, timeout=10
    ).stdout.splitlines()
    return {line.split(": ")[1].partition("@")[0] for line in lines}


def remove_rules(*, with_docker: bool) -> None:
    """Takes the chains of Kubernetes (and docker's, if it was ours) and every rule that leads to them out."""
    for family in ("iptables", "ip6tables"):
        saved = _run([f"{family}-save"])
        if saved:
            _run([f"{family}-restore", "--noflush"], stdin=removal(saved, with_docker=with_docker))


def removal(saved: str, *, with_docker: bool) -> str:
    """The input of iptables-restore --noflush that undoes our part of an iptables-save listing."""
    ours: set[str] = set()
    commands: list[str] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            ours.clear()
            commands.append(line)
        elif line.startswith(":"):
            name = line[1:].split()[0]
            if _is_ours(name, with_docker):
                ours.add(name)
                commands.append(f"-F {name}")
        elif line.startswith("-A "):
            chain, *words = line[3:].split()
            leads_to_us = any(word in ours for word in words) or (with_docker and _DOCKER_RULE.search(line))
            if chain not in ours and leads_to_us:
                commands.append(f"-D {line[3:]}")
        elif line == "COMMIT":
            commands += [f"-X {name}" for name in sorted(ours)]
            commands.append(line)
    return "\n".join([*commands, ""])


def _is_ours(chain: str, with_docker: bool) -> bool:
    return bool(_OUR_CHAIN.match(chain) or (with_docker and _DOCKER_CHAIN.match(chain)))


def _ip(*arguments: str) -> bool:
    return subprocess.run(["ip", *arguments], capture_output=True, check=False, timeout=10).returncode == 0


def _run(argv: list[str], stdin: str = "") -> str:
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=30).stdout
