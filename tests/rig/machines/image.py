"""The disks that machines begin with: layers of a small Debian, made once from Debian's packages and kept.

| image | what is on it |
|---|---|
| `plain` | a server as a provider hands it out: systemd, sshd, sudo; the packages that k3s needs are missing |
| `prepared` | the same with those packages |
| `dokku` | plain, and what a dokku host has: Python, git, curl, nginx |
| `dokku-prepared` | that with k3s' packages |

The packages lie in a repository that all machines see, so that their apt-get works without a network.
"""

import ast
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.machines.model import APT_REPOSITORY, IMAGES, K3S_PACKAGES

_BASE_PACKAGES = (
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,iproute2,iptables,conntrack,kmod,procps"
)
_DOKKU_PACKAGES = (
    "python3",
    "git",
    "bsdextrautils",
    "openssh-client",
    "ca-certificates",
    "curl",
    "nginx-light",
)
_ALSO_IN_REPOSITORY = ("acl",)
_LAYERS = {
    "plain": ("base",),
    "prepared": ("packages", "base"),
    "dokku": ("dokku", "base"),
    "dokku-prepared": ("dokku-packages", "dokku", "base"),
}
# What would change this machine's kernel settings, clock or devices, waits for something that is not there, or takes
# apt-get's lock.
_MASKED = (
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "systemd-firstboot.service",
    "systemd-networkd.service",
    "systemd-networkd-wait-online.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
    "run-rpc_pipefs.mount",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)
_SECONDS = 900
# of what the code says, not of how it is formatted
_RECIPE = hashlib.sha256(ast.dump(ast.parse(Path(__file__).read_bytes())).encode()).hexdigest()[:12]
# A server has a kernel; without this entry apt-get would bring one for the sake of wireguard.
_KERNEL = """\
Package: linux-image-rig
Version: 6.1
Architecture: all
Maintainer: rig
Provides: linux-image, wireguard-modules (= 1.0.20220627)
Description: stands for the kernel, which machines share
"""
# sh -c _CHROOT sh LOWER SCRATCH COMMAND [PATH TARGET]...: runs COMMAND in the layers, with each PATH seen at TARGET.
_CHROOT = """\
set -eu
mount --make-rprivate /
lower=$1 scratch=$2 command=$3 root=$2/root
shift 3
mount -t overlay layer -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind /dev "$root/dev"
while [ $# -gt 0 ]; do
	if [ -d "$1" ]; then mkdir -p "$root$2"; else : >>"$root$2"; fi
	mount --bind "$1" "$root$2"
	shift 2
done
exec chroot "$root" /bin/sh -euc "$command"
"""


class ImageError(Exception):
    """A layer cannot be made; the message has the last lines of the program that refused."""


def layers(image: str) -> list[Path]:
    """The folders of an image's layers, the uppermost first; they are made if they are missing."""
    build()
    return [folder(name) for name in _LAYERS[image]]


def folder(name: str) -> Path:
    """Where a layer lies; a change of what goes into any of them makes all anew."""
    return IMAGES / _RECIPE / name


def repository() -> Path:
    return folder("apt")


def build() -> None:
    """Makes what is missing: some three minutes, once. Errors: ImageError."""
    if folder("complete").exists():
        return
    _run([str(Path(__file__).parents[1] / "packages"), "debootstrap", "openssh-client", "openssl"])
    with lock():
        _make("base", _bootstrap)
        _make("apt", _download)
        _make("packages", lambda goal: _install(goal, ("base",), K3S_PACKAGES))
        _make("dokku", lambda goal: _install(goal, ("base",), _DOKKU_PACKAGES))
        _make("dokku-packages", lambda goal: _install(goal, ("dokku", "base"), K3S_PACKAGES))
        folder("complete").touch()


def _make(name: str, make: Callable[[Path], None]) -> None:
    goal = folder(name)
    if goal.exists():
        return
    started = time.monotonic()
    unfinished = goal.with_name(f"{name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    make(unfinished)
    unfinished.rename(goal)
    print(f"machines: {name}: ready after {time.monotonic() - started:.1f} s", flush=True)


def _bootstrap(goal: Path) -> None:
    """The smallest Debian of this machine's own release, whose containerd and runc the machines use."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().split("\n") if "=" in line
    )
    options = ["--variant=minbase", f"--include={_BASE_PACKAGES}"]
    _run(["nice", "debootstrap", *options, release["VERSION_CODENAME"], str(goal)])
    _finish(goal)


def _finish(root: Path) -> None:
    """What makes one machine of it: no identity, no service that would reach out of its namespaces."""
    for path in [root / "etc/machine-id", root / "var/lib/dbus/machine-id", *root.glob("etc/ssh/ssh_host_*")]:
        path.unlink(missing_ok=True)
    for name in _MASKED:
        (root / f"etc/systemd/system/{name}").symlink_to("/dev/null")
    (root / "etc/systemd/journald.conf.d").mkdir()
    (root / "etc/systemd/journald.conf.d/rig.conf").write_text("[Journal]\nReadKMsg=no\nAudit=no\n")
    _add_kernel(root)
    _add_admin(root)
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{APT_REPOSITORY} ./\n")
    (root / "etc/dpkg/dpkg.cfg.d/rig").write_text("force-unsafe-io\n")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    for name in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
        (root / name).mkdir(parents=True)


def _add_kernel(root: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        control = Path(directory) / "tree/DEBIAN/control"
        control.parent.mkdir(mode=0o755, parents=True)
        control.write_text(_KERNEL)
        archive = root / "tmp/kernel.deb"
        _run(["dpkg-deb", "--build", "--root-owner-group", str(control.parents[1]), str(archive)])
    _run(["chroot", str(root), "dpkg", "--install", "/tmp/kernel.deb"])
    archive.unlink()


def _add_admin(root: Path) -> None:
    """A user as providers make one: no password, and sudo without one."""
    _run(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "admin"])
    rule = root / "etc/sudoers.d/admin"
    rule.write_text("admin ALL=(ALL) NOPASSWD: ALL\n")
    rule.chmod(0o440)


def _download(goal: Path) -> None:
    """A repository of all packages, and of those that they need on top of the base."""
    names = " ".join((*K3S_PACKAGES, *_DOKKU_PACKAGES, *_ALSO_IN_REPOSITORY))
    command = f"apt-get update && apt-get install --yes --download-only {names}"
    settings = {path: path for path in ("/etc/apt", "/usr/share/keyrings", "/etc/resolv.conf", "/etc/hosts")}
    with _changed(("base",), goal, command, {**settings, str(goal): "/var/cache/apt/archives"}):
        pass
    for name in ("partial", "lock"):
        _remove(goal / name)
    (goal / "Packages").write_text("".join(_entry(path) for path in sorted(goal.glob("*.deb"))))


def _entry(archive: Path) -> str:
    """A package's paragraph in the repository's list."""
    fields = _run(["dpkg-deb", "--field", str(archive)])
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return f"{fields}Filename: ./{archive.name}\nSize: {archive.stat().st_size}\nSHA256: {digest}\n\n"


def _install(goal: Path, below: tuple[str, ...], names: tuple[str, ...]) -> None:
    """What apt-get changes when it installs the packages becomes the layer."""
    command = (
        f"apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes {' '.join(names)}"
        " && apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /etc/ssh/ssh_host_*"
    )
    with _changed(below, goal, command, {str(repository()): APT_REPOSITORY}) as upper:
        goal.rmdir()
        upper.rename(goal)


@contextmanager
def _changed(below: tuple[str, ...], goal: Path, command: str, seen: dict[str, str]) -> Iterator[Path]:
    """Runs the command in the layers and yields the folder with what it changed, gone afterwards unless moved away."""
    scratch = Path(tempfile.mkdtemp(dir=goal.parent))
    try:
        for name in ("upper", "work", "root"):
            (scratch / name).mkdir()
        lower = ":".join(str(folder(name)) for name in below)
        pairs = [word for pair in seen.items() for word in pair]
        _run(["unshare", "--mount", "nice", "sh", "-c", _CHROOT, "sh", lower, str(scratch), command, *pairs])
        yield scratch / "upper"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def lock() -> Iterator[None]:
    """One process at a time makes what machines are made of."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(IMAGES, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _run(argv: list[str]) -> str:
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).splitlines()[-20:]
        raise ImageError(f"{argv[0]} failed with exit code {done.returncode}:\n" + "\n".join(lines))
    return done.stdout
