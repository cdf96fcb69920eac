"""The keys of ssh: dokku's own, those of the hosts it knows, and what to do when one does not fit."""

import os
import shlex

from scheduler_k3s.dokku import host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.remote_host import RemoteHost
from scheduler_k3s.tools.command import run


def identity() -> str:
    """dokku's private key. Errors: PluginError when there is none."""
    for name in ("id_ed25519", "id_rsa"):
        if os.path.isfile(path := f"{_directory()}/{name}"):
            return path
    raise PluginError(
        "ssh key not found at ~/.ssh/id_ed25519 or ~/.ssh/id_rsa. Make one: "
        f"sudo -u {host.system_user()} ssh-keygen -q -t ed25519 -N '' -f {_directory()}/id_ed25519"
    )


def known_hosts() -> str:
    """The file with the keys of known hosts; an empty one is made when there is none."""
    path = f"{_directory()}/known_hosts"
    if not os.path.exists(path):
        try:
            os.makedirs(_directory(), mode=0o700, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            host.give_to_dokku(path)
        except OSError as error:
            raise PluginError(f"Unable to write {path}: {error.strerror}") from None
    return path


def is_known(name: str) -> bool:
    return run(["ssh-keygen", "-F", name, "-f", known_hosts()], check=False).returncode == 0


def fingerprint(name: str) -> str:
    """Kind and digest of the recorded key, "" when there is none."""
    done = run(["ssh-keygen", "-l", "-F", name, "-f", known_hosts()], check=False)
    lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line[:1] != "#"]
    return lines[0].partition(" ")[2] if lines else ""


def quoted(path: str) -> str:
    """A path as one word of ssh's own configuration syntax, which splits at blanks and expands percent signs."""
    return '"' + path.replace("%", "%%") + '"'


def refusal(place: RemoteHost, said: str) -> str:
    """What ssh, or sudo behind it, said when there was no connection, with what mends it."""
    where = f"{place.user}@{place.known_name}"
    if "IDENTIFICATION HAS CHANGED" in said or "has changed and you have requested strict" in said:
        return (
            f"The ssh key of {place.known_name} is not the one that dokku knows: somebody may be in between. If "
            f"the host was set up anew, forget the old key: {_as_dokku(['ssh-keygen', '-R', place.known_name])}"
        )
    if "Host key verification failed" in said:
        scan = f"ssh-keyscan -p {place.port} {place.host} >>{shlex.quote(known_hosts())}"
        return (
            f"The ssh key of {place.known_name} is not known. Take it over, and compare it with the host's own: "
            f"{_as_dokku(['sh', '-c', scan])} (cluster:add --insecure-allow-unknown-hosts takes it unseen)"
        )
    if "Permission denied" in said:
        return (
            f"{where} does not accept the key {identity()} (or it has a passphrase). Add {identity()}.pub to "
            f"~{place.user}/.ssh/authorized_keys of the host"
        )
    if "sudo:" in said:
        return (
            f"{where} may not become root without a password ({_last(said)}). Log in as root, or allow it there: "
            f"echo '{place.user} ALL=(root) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{place.user}"
        )
    return f"Unable to connect to {where} over ssh: {_last(said) or 'no answer'}"


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1].removeprefix("ssh: ") if lines else ""


def _as_dokku(words: list[str]) -> str:
    return shlex.join(["sudo", "-u", host.system_user(), *words])


def _directory() -> str:
    return f"{host.root()}/.ssh"
