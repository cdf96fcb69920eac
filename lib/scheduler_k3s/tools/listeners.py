"""Which processes of this host listen on TCP ports, from /proc: `ss` is not on every host."""

import contextlib
import os
from collections.abc import Collection

_LISTEN = "0A"


def holders(ports: Collection[int]) -> dict[int, str]:
    """Those of `ports` that are taken, with who holds each: `nginx (process 812)`. Other users' need root."""
    sockets = {inode: port for inode, port in _sockets() if port in ports}
    if not sockets:
        return {}
    found = dict.fromkeys(sorted(sockets.values()), "an unknown process")
    for inode, holder in _processes(set(sockets)):
        found[sockets[inode]] = holder
    return found


def _sockets() -> list[tuple[str, int]]:
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[3] == _LISTEN:
                    found.append((words[9], int(words[1].rpartition(":")[2], 16)))
    return found


def _processes(inodes: Collection[str]) -> list[tuple[str, str]]:
    """The lowest process of several that share a socket comes last."""
    found = []
    for process in sorted((name for name in os.listdir("/proc") if name.isdigit()), key=int, reverse=True):
        with contextlib.suppress(OSError):
            for entry in os.listdir(f"/proc/{process}/fd"):
                with contextlib.suppress(OSError):
                    link = os.readlink(f"/proc/{process}/fd/{entry}")
                    if link.startswith("socket:[") and link[8:-1] in inodes:
                        found.append((link[8:-1], f"{_name(process)} (process {process})"))
    return found


def _name(process: str) -> str:
    with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()
