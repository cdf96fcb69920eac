"""What a node leaves on a machine, remembered before it starts and put back when it stops."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from rig.node import cgroups, configs, network
from rig.node.model import BRIDGE
from rig.paths import STATE

_RECORD = STATE / "before.json"
# Pods are reached through this machine (and dockerd, finding forwarding closed, would open it for its own alone).
# The kubelet takes an inotify instance for every log that is followed; the kernel grants a user 128.
_WANTED = {"net/ipv4/ip_forward": "1", "fs/inotify/max_user_instances": "8192"}
_SETTINGS = (
    *_WANTED,
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/conf/default/forwarding",
    "net/ipv4/vs/conntrack",
    "net/ipv6/conf/all/forwarding",
    "net/ipv6/conf/default/forwarding",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
# Paths that the parts insist on, wherever their own folders are.
_PATHS = (
    "/etc/cni",
    "/etc/docker",
    "/opt/containerd",
    "/run/containerd",
    "/run/docker",
    "/run/docker.sock",
    "/run/netns",
    "/run/runc",
    "/run/xtables.lock",
    "/tmp/hostpath_pv",
    "/usr/libexec/kubernetes",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
    "/var/run/kubernetes",
)


_CNI_RESULTS = Path("/var/lib/cni/results")
_VOLUMES = Path("/tmp/hostpath_pv")


def remember() -> None:
    """Notes settings, links and paths as they are before anything is started."""
    if _RECORD.exists():
        return
    STATE.mkdir(parents=True, exist_ok=True)
    settings = {name: value for name in _SETTINGS if (value := _read_setting(name)) is not None}
    record = {
        "settings": settings,
        "links": sorted(network.links()),
        "volumes": _volumes(),
        "missing": [path for path in _PATHS if not os.path.lexists(path)],
    }
    _RECORD.write_text(json.dumps(record, indent=2))


def apply_settings() -> None:
    for name, value in _WANTED.items():
        (Path("/proc/sys") / name).write_text(value)


def remove() -> None:
    """Takes away what the ended parts have left, whatever state they were in."""
    record = _record()
    end_containers()
    _unmount()
    with_docker = "/run/docker.sock" in record["missing"]
    network.remove_rules(with_docker=with_docker)
    network.remove_links(_our_links(record, with_docker))
    cgroups.remove()
    volumes = [_VOLUMES / name for name in set(_volumes()) - set(record.get("volumes", []))]
    for path in [*record["missing"], *volumes, *_CNI_RESULTS.glob(f"{configs.CNI_NAME}-*")]:
        _delete(Path(path))
    for name, value in record["settings"].items():
        with contextlib.suppress(OSError):
            (Path("/proc/sys") / name).write_text(value)
    shutil.rmtree(STATE)


def _volumes() -> list[str]:
    """The folders of the volumes that the controller manager makes."""
    return sorted(os.listdir(_VOLUMES)) if _VOLUMES.is_dir() else []


def _record() -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(_RECORD.read_text())
    except FileNotFoundError:
        return {"settings": {}, "links": sorted(network.links() - {BRIDGE}), "missing": []}
    return record


def _our_links(record: dict[str, Any], with_docker: bool) -> set[str]:
    """The links of pods and containers go with their network namespaces; these are the host's."""
    ours = {BRIDGE, "docker0"} if with_docker else {BRIDGE}
    return (network.links() & ours) - set(record["links"])


def end_containers() -> None:
    """Ends pods, docker's containers and the shims that hold them."""
    for _ in range(50):
        pids = cgroups.processes() | _shims()
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def _shims() -> set[int]:
    """Shims name the socket of the containerd that started them, which lies in our folder."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "containerd-shim" in words[0] and any(word.startswith(f"{STATE}/") for word in words):
                found.add(int(folder.name))
    return found


def _unmount() -> None:
    """Unmounts all below our folder, the latest first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].replace("\\040", " ") for line in lines]
    for point in reversed([point for point in points if point.startswith(f"{STATE}/")]):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False, timeout=30)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _read_setting(name: str) -> str | None:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return None
