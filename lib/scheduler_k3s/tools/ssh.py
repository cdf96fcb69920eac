"""OpenSSH towards one host: one connection for all commands of an operation, which run there as root.

The connection itself is a command that makes a private directory, here for its socket and there for our files, prints
its name and waits for the end of its input. However we end, it sees that end, and takes the directories away. Long
commands are ended the same way.
"""

import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from scheduler_k3s import log
from scheduler_k3s.child import Child
from scheduler_k3s.dokku import host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.remote_host import RemoteHost
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import ssh_keys, ssh_scripts, streamed
from scheduler_k3s.tools.command import CommandError, environment, run

CONNECT = 20
"""Seconds until a host has to answer."""
_LOGIN = 60.0
_LOST, _TOO_LONG = 255, 124
"""The codes of ssh without a connection, and of our own patience."""
_END, _GRACE = 20.0, 5.0


class Refused(PluginError):
    """There is no connection."""


class Remote:
    """A host that is connected. `directory` is a private one of root's there, gone at the end."""

    def __init__(self, place: RemoteHost, argv: Sequence[str], directory: str) -> None:
        self.place = place
        self.directory = directory
        self._argv = list(argv)

    def run(
        self,
        words: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        check: bool = True,
        sensitive: bool = False,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a short command as root, output captured; see `command.run`. Errors: CommandError."""
        return run(self._command(words), stdin=stdin, timeout=timeout, check=check, sensitive=sensitive)

    def script(self, text: str, *words: str) -> str:
        """What a shell script prints; `words` are its arguments. Errors: CommandError."""
        done = self.run(["sh", "-c", text, "sh", *words])
        return done.stdout.decode("utf-8", "replace")

    def put(self, path: str, content: bytes, mode: str = "0600", timeout: float = 60.0) -> None:
        """Write a file of root's, whole or not at all. Errors: PluginError, which does not hold the content."""
        words = ["sh", "-c", ssh_scripts.PUT, "sh", path, mode, str(len(content))]
        try:
            self.run(words, stdin=content, timeout=timeout)
        except CommandError as error:
            why = error.output or error.message
            raise PluginError(f"Unable to write {path} on {self.place.host}: {why}") from None

    def stream(self, what: str, words: Sequence[str], timeout: float, secrets: Sequence[Secret] = ()) -> None:
        """Run a long command as root, its output shown as it comes. It ends when we do.

        Errors: PluginError that names it as `what`, when it fails or takes longer than `timeout` seconds.
        """
        log.debug(f"run on {self.place.host}: {shlex.join(words)}")
        argv = self._command(["sh", "-c", ssh_scripts.WATCH, "sh", *words])
        watched, ours = os.pipe()
        try:
            streamed.run(argv, timeout=timeout, secrets=secrets, stdin=watched, name=what)
        except CommandError as error:
            if error.code == _LOST:
                raise PluginError(
                    f"Unable to call {what} command over ssh: the connection was lost"
                ) from None
            if error.code == _TOO_LONG:
                raise PluginError(
                    f"Unable to call {what} command over ssh: no end after {timeout:g} seconds"
                ) from None
            raise PluginError(f"Invalid exit code from {what} command over ssh: {error.code}") from None
        finally:
            os.close(watched)
            os.close(ours)

    def by_hand(self, *words: str) -> str:
        """What an administrator types on this host to run the words as root on the other one."""
        place, become = self.place, [] if self.place.user == "root" else ["sudo"]
        login = ["ssh", "-p", str(place.port), f"{place.user}@{place.host}"]
        return shlex.join(["sudo", "-u", host.system_user(), *login, *become, *words])

    def _command(self, words: Sequence[str]) -> list[str]:
        return [*self._argv, _as_root(self.place.user, words)]


@contextmanager
def connected(place: RemoteHost, accept_new: bool = False) -> Iterator[Remote]:
    """With `accept_new` the key of a host that is not known yet is recorded, else that is an error.

    Errors: Refused that says how to make the connection possible.
    """
    options, destination = _options(place, accept_new), ["--", place.host]
    hold = _as_root(place.user, ["sh", "-c", ssh_scripts.HOLD])
    is_known = ssh_keys.is_known(place.known_name)
    with tempfile.TemporaryFile() as said:
        child = Child(
            ["sh", "-c", ssh_scripts.CONNECT, "sh", _short_directory(), *options, "-M", *destination, hold],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment({"LC_ALL": "C"}),
            start_new_session=True,
        )
        try:
            local, there = _directories(child)
            if not there:
                raise _refused(place, child, said)
            if not is_known and (key := ssh_keys.fingerprint(place.known_name)):
                log.warn(f"Recorded the ssh key of {place.known_name} unseen: {key}")
            yield Remote(place, ["ssh", "-S", f"{local}/s", *options, *destination], there)
        finally:
            _end(child)


def _options(place: RemoteHost, accept_new: bool) -> list[str]:
    """No configuration, agent or password but what stands here: it works the same for every caller."""
    pairs = {
        "BatchMode": "yes",
        "ConnectTimeout": str(CONNECT),
        "StrictHostKeyChecking": "accept-new" if accept_new else "yes",
        "UserKnownHostsFile": ssh_keys.quoted(ssh_keys.known_hosts()),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "IdentityFile": ssh_keys.quoted(ssh_keys.identity()),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "PreferredAuthentications": "publickey",
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "3",
        "LogLevel": "ERROR",
    }
    words = [word for key, value in pairs.items() for word in ("-o", f"{key}={value}")]
    return ["-F", "none", "-T", "-x", "-a", "-l", place.user, "-p", str(place.port), *words]


def _as_root(user: str, words: Sequence[str]) -> str:
    """One text for the remote shell, every word of it quoted."""
    return shlex.join(words if user == "root" else ["sudo", "-n", "-u", "root", "--", *words])


def _directories(child: Child) -> tuple[str, str]:
    """Their names, here and there; the second is empty when the connection has failed, or takes too long."""
    assert child.stdout
    limit = threading.Timer(_LOGIN, os.killpg, (child.pid, signal.SIGTERM))
    limit.start()
    try:
        return os.fsdecode(child.stdout.readline().strip()), os.fsdecode(child.stdout.readline().strip())
    finally:
        limit.cancel()


def _refused(place: RemoteHost, child: Child, said: IO[bytes]) -> PluginError:
    _end(child)
    said.seek(0)
    return Refused(ssh_keys.refusal(place, said.read().decode("utf-8", "replace")))


def _end(child: Child) -> None:
    """The end of its input is what the other side waits for; a connection that hangs is cut."""
    if child.stdin:
        child.stdin.close()
    for number, patience in ((signal.SIGTERM, _END), (signal.SIGKILL, _GRACE)):
        try:
            child.wait(patience)
            break
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, number)
    child.wait()
    if child.stdout:
        child.stdout.close()


def _short_directory() -> str:
    """The name of a socket has at most 107 bytes, of which ssh needs some for itself."""
    directory = tempfile.gettempdir()
    return directory if len(os.fsencode(directory)) < 60 else "/tmp"
