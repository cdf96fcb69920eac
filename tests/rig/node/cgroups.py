"""The rig's own cgroups, in both of the kernel's versions: one per node, and one for docker's containers."""

import contextlib
import time
from pathlib import Path

from rig.node.model import CGROUP

_MOUNT = Path("/sys/fs/cgroup")


def make(name: str) -> None:
    """Makes the cgroup with all controllers usable inside (a fresh cpuset is empty until it is filled)."""
    for root in roots():
        path = root
        for part in name.split("/"):
            _delegate(path)
            path = path / part
            path.mkdir(exist_ok=True)
            for file in ("cpuset.cpus", "cpuset.mems"):
                if (path / file).exists() and root.name == "cpuset":
                    (path / file).write_text((path.parent / file).read_text())


def processes() -> set[int]:
    """Everything that runs inside the rig's cgroups: pods and docker's containers."""
    found: set[int] = set()
    for root in roots():
        for file in (root / CGROUP).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(line) for line in file.read_text().split())
    return found


def remove(top: str = CGROUP) -> None:
    """Removes the rig's cgroups from the leaves up; the kernel lets go of ended processes with a small delay."""
    for root in roots():
        for _ in range(100):
            if not _remove_tree(root / top):
                break
            time.sleep(0.05)


def _remove_tree(top: Path) -> bool:
    """Whether something is left."""
    if not top.exists():
        return False
    folders = [path for path in top.rglob("*") if path.is_dir()]
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
    with contextlib.suppress(OSError):
        top.rmdir()
    return top.exists()


def roots() -> list[Path]:
    """Each mounted hierarchy: the unified one alone, or one per controller."""
    if (_MOUNT / "cgroup.controllers").exists():
        return [_MOUNT]
    return [path for path in _MOUNT.iterdir() if path.is_dir() and not path.is_symlink()]


def _delegate(path: Path) -> None:
    """Lets the children of a unified cgroup use its controllers."""
    control = path / "cgroup.subtree_control"
    if control.exists():
        names = (path / "cgroup.controllers").read_text().split()
        for name in names:
            with contextlib.suppress(OSError):
                control.write_text(f"+{name}")
