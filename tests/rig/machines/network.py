"""A laboratory's network: a switch in a namespace of its own, this machine and the machines plugged into it.

The switch is no bridge of this machine, because there the packets between machines would pass the firewall rules that
docker and Kubernetes have made here.
"""

import subprocess

from rig.machines import holder
from rig.machines.model import Place

_SWITCH = "switch"


def start_switch(place: Place) -> None:
    record = place.folder / f"{_SWITCH}.json"
    process = holder.start(record, ["unshare", "--net", "sh", "-c", "echo >&2; exec sleep infinity"])
    while record.with_suffix(".log").stat().st_size == 0:
        if process.poll() is not None:
            raise holder.HolderError("the switch's namespace cannot be made")
    _in_switch(place, "ip", "link", "add", _SWITCH, "type", "bridge")
    _in_switch(place, "ip", "link", "set", _SWITCH, "up")
    _delete_link(place)
    _run("ip", "link", "add", place.link, "type", "veth", "peer", "name", "host", "netns", str(process.pid))
    _run("ip", "address", "add", f"{place.gateway}/24", "dev", place.link)
    _run("ip", "link", "set", place.link, "up")
    _in_switch(place, "ip", "link", "set", "host", "master", _SWITCH, "up")


def stop_switch(place: Place) -> None:
    holder.end(place.folder / f"{_SWITCH}.json")
    _delete_link(place)


def _delete_link(place: Place) -> None:
    """The kernel does it too, a while after the switch's end."""
    argv = ["ip", "link", "delete", place.link]
    subprocess.run(argv, capture_output=True, check=False, timeout=30)


def connect(place: Place, port: str, pid: int, interface: str, address: str) -> None:
    """Gives the namespace of a process an interface with this address, plugged into the switch as `port`."""
    # the kernel takes the cable of a machine that was just switched off away a moment later
    subprocess.run(_enter(place, "ip", "link", "delete", port), capture_output=True, check=False, timeout=30)
    # always the same hardware address, or this machine would look for the one of before the last boot
    hardware = "02:" + ":".join(f"{int(part):02x}" for part in ("0", *address.split(".")))
    peer = ["peer", "name", interface, "address", hardware, "netns", str(pid)]
    _run("ip", "link", "add", port, "netns", str(_pid(place)), "type", "veth", *peer)
    for words in (
        ["address", "add", f"{address}/24", "dev", interface],
        ["link", "set", "lo", "up"],
        ["link", "set", interface, "up"],
        ["route", "add", "default", "via", place.gateway],
    ):
        _run("nsenter", f"--target={pid}", "--net", "ip", *words)
    _in_switch(place, "ip", "link", "set", port, "master", _SWITCH, "up")


def switch_port(place: Place, port: str, state: str) -> None:
    """Takes a machine's cable out of the switch (`down`) or puts it in again (`up`)."""
    _in_switch(place, "ip", "link", "set", port, state)


def _in_switch(place: Place, *argv: str) -> None:
    _run(*_enter(place, *argv))


def _enter(place: Place, *argv: str) -> list[str]:
    return ["nsenter", f"--target={_pid(place)}", "--net", *argv]


def _pid(place: Place) -> int:
    number = holder.pid(place.folder / f"{_SWITCH}.json")
    if number is None:
        raise holder.HolderError(f"the switch of laboratory {place.number} does not run")
    return number


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise holder.HolderError(f"{' '.join(argv)}: {done.stderr.strip()}")
