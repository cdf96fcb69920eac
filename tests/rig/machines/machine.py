"""One server: what a test does with it. It is reached as a real one is, or as by its console with `run`."""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from rig.machines import holder, network, parts
from rig.machines.model import Place
from rig.node import cgroups

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Enters the cgroups first, because a cgroup namespace begins where its first process is.
_ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"'
_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")
_BOOT_SECONDS = 60.0


class Machine:
    """A server named `name`. `lower` are the read-only layers of its disk, the uppermost first; `seen` are paths of
    this machine that it sees too, read-only, besides those of parts.py."""

    def __init__(
        self,
        place: Place,
        index: int,
        name: str,
        lower: Sequence[Path],
        *,
        interface: str,
        seen: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.address = place.address(index)
        self.interface = interface
        self.folder = place.folder / name
        self._place = place
        self._port = f"port{index}"
        self._lower = list(lower)
        self._seen = seen or {}
        self._record = self.folder / "machine.json"
        for part in ("upper", "work", "root", "rancher"):
            (self.folder / part).mkdir(parents=True)
        self._give_identity()

    @property
    def ssh_url(self) -> str:
        return f"ssh://root@{self.address}:22"

    @property
    def admin_url(self) -> str:
        """For the user who is not root and has password-less sudo."""
        return f"ssh://admin@{self.address}:22"

    @property
    def known_host(self) -> str:
        """The line by which a known_hosts file knows the machine."""
        key = (self.folder / "upper/etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        return f"{self.address} {key[0]} {key[1]}\n"

    @property
    def pid(self) -> int:
        """The machine's first process, as this machine counts. Errors: HolderError when it is off."""
        number = holder.pid(self._record)
        first = number and holder.child(number)
        if not first:
            raise holder.HolderError(f"{self.name} is off")
        return first

    @property
    def root(self) -> Path:
        """The machine's files as it sees them itself, while it is on (absolute links lead elsewhere)."""
        return Path(f"/proc/{self.pid}/root")

    def boot(self) -> None:
        """Switches the machine on; returns when it can be reached by ssh."""
        groups = self._make_cgroups()
        lower = ":".join(str(path) for path in self._lower)
        seen = [word for pair in {**parts.seen(), **self._seen}.items() for word in pair]
        boot = [str(Path(__file__).with_name("boot")), lower, str(self.folder), self.name, *seen]
        spaces = ["unshare", *_NAMESPACES, "--fork", "--kill-child", *boot]
        process = holder.start(self._record, ["sh", "-c", _ENTER, "sh", *groups, "--", *spaces])
        try:
            first = self._first_process(process)
            network.connect(self._place, self._port, first, self.interface, self.address)
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.close()
            self._wait_for_ssh()
        except BaseException:
            self.power_off()
            raise

    def power_off(self) -> None:
        """Pulls the plug: nothing in the machine gets to do anything about it."""
        holder.end(self._record)

    def shut_down(self) -> None:
        """As an administrator does: services end in order."""
        self.run(["systemctl", "poweroff"], check=False)
        holder.wait(self._record, 120)

    def reboot(self) -> None:
        self.shut_down()
        self.boot()

    @property
    def is_on(self) -> bool:
        return holder.pid(self._record) is not None

    def unplug(self) -> None:
        """Takes the network cable out."""
        network.switch_port(self._place, self._port, "down")

    def plug(self) -> None:
        network.switch_port(self._place, self._port, "up")

    def run(
        self,
        argv: Sequence[str],
        *,
        user: str = "root",
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 600.0,
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a program in the machine.

        Errors: AssertionError with all it printed when it fails and `check` is set.
        """
        done = subprocess.run(
            self.command(argv, user=user, env=env),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            words = " ".join(argv)
            raise AssertionError(
                f"{self.name}: {words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def popen(
        self,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = subprocess.PIPE,
        stderr: int | IO[bytes] | None = subprocess.STDOUT,
    ) -> "subprocess.Popen[str]":
        """Starts a program that the test talks to while it runs; `interrupt` sends it signals."""
        return subprocess.Popen(
            self.command(argv, user=user, env=env), stdin=stdin, stdout=stdout, stderr=stderr, text=True
        )

    @staticmethod
    def interrupt(process: "subprocess.Popen[str]", number: int = signal.SIGINT) -> None:
        """Sends a signal to the program itself, which runs below the one that entered the machine."""
        inner = holder.child(process.pid)
        os.kill(inner or process.pid, number)

    def command(
        self, argv: Sequence[str], *, user: str = "root", env: Mapping[str, str] | None = None
    ) -> list[str]:
        """The words that run `argv` in the machine from here, for callers who start programs themselves."""
        home = "/root" if user == "root" else f"/home/{user}"
        variables = {
            "PATH": PATH,
            "HOME": home,
            "USER": user,
            "LOGNAME": user,
            "LANG": "C.UTF-8",
            **(env or {}),
        }
        pairs = [f"{name}={value}" for name, value in variables.items()]
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        enter = ["nsenter", f"--target={self.pid}", *_NAMESPACES, "--root", "--"]
        return [*enter, "env", "--chdir=/", "-i", *pairs, *become, *argv]

    def read(self, path: str) -> str:
        return self.run(["cat", path]).stdout

    def write(self, path: str, text: str, *, mode: int = 0o644, owner: str = "root") -> None:
        """Writes a file and the folders above it."""
        script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1" && chown "$3:$3" "$1"'
        self.run(["sh", "-c", script, "sh", path, f"{mode:o}", owner], stdin=text)

    def exists(self, path: str) -> bool:
        return self.run(["test", "-e", path], check=False).returncode == 0

    def save(self, name: str) -> Path:
        """Copies the disk of a machine that is off; `restore` brings it back."""
        goal = self.folder / "saved" / name
        shutil.rmtree(goal, ignore_errors=True)
        goal.mkdir(parents=True)
        for part in ("upper", "rancher"):
            subprocess.run(["cp", "-a", str(self.folder / part), str(goal)], check=True, timeout=300)
        return goal

    def restore(self, name: str) -> None:
        """Switches the machine off and lays its disk back to what `save` has copied."""
        self.power_off()
        for part in ("upper", "rancher", "work"):
            shutil.rmtree(self.folder / part)
        (self.folder / "work").mkdir()
        for part in ("upper", "rancher"):
            source = self.folder / "saved" / name / part
            subprocess.run(["cp", "-a", str(source), str(self.folder)], check=True, timeout=300)

    def _give_identity(self) -> None:
        """Name, machine-id and host key, as a provider's first boot makes them."""
        etc = self.folder / "upper" / "etc"
        (etc / "ssh").mkdir(parents=True)
        (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
        (etc / "hostname").write_text(f"{self.name}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        (etc / "systemd/system.conf.d").mkdir(parents=True)
        # what a service leaves running (k3s its pods) is not waited for when the machine goes down
        (etc / "systemd/system.conf.d/rig.conf").write_text("[Manager]\nDefaultTimeoutStopSec=3s\n")
        key = str(etc / "ssh" / "ssh_host_ed25519_key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True, timeout=60)

    def _make_cgroups(self) -> list[str]:
        name = f"{self._place.cgroup}/{self.name}"
        cgroups.make(name)
        return [str(root / name) for root in cgroups.roots()]

    def _first_process(self, process: "subprocess.Popen[bytes]") -> int:
        """The process that waits, in all its namespaces, for its network."""
        deadline = time.monotonic() + _BOOT_SECONDS
        while not (first := holder.child(process.pid)):
            self._still_boots(process, deadline)
            time.sleep(0.01)
        return first

    def _wait_for_ssh(self) -> None:
        deadline = time.monotonic() + _BOOT_SECONDS
        while True:
            try:
                with socket.create_connection((self.address, 22), timeout=1) as connection:
                    if connection.recv(4) == b"SSH-":
                        return
            except OSError:
                pass
            if not self.is_on or time.monotonic() > deadline:
                log = self._record.with_suffix(".log").read_text(errors="replace")[-2000:]
                raise holder.HolderError(f"{self.name} does not boot:\n{log}")
            time.sleep(0.05)

    def _still_boots(self, process: "subprocess.Popen[bytes]", deadline: float) -> None:
        if process.poll() is not None or time.monotonic() > deadline:
            log = self._record.with_suffix(".log").read_text(errors="replace")[-2000:]
            raise holder.HolderError(f"{self.name} does not boot:\n{log}")
