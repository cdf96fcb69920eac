"""k3s on this host: whether it is here, how it comes and how it goes."""

import os
from collections.abc import Sequence

from scheduler_k3s import k3s_config
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import installer, root_file, streamed
from scheduler_k3s.tools.command import CommandError, run

BINARY = "/usr/local/bin/k3s"
UNINSTALL = "/usr/local/bin/k3s-uninstall.sh"
UNINSTALL_AGENT = "/usr/local/bin/k3s-agent-uninstall.sh"
DATASTORE = "/var/lib/rancher/k3s/server/db"
"""A cluster's data. k3s goes on with what it finds there."""
PACKAGES = ("ca-certificates", "curl", "open-iscsi", "nfs-common", "wireguard")
"""Debian's, that it and longhorn need."""
_INSTALL_TIMEOUT = 1200.0
_UNINSTALL_TIMEOUT = 600.0
_OF_K3S = ("K3S_", "INSTALL_K3S_")
_JOURNAL_LINES = 15


def missing(kubeconfig: str) -> str:
    """Why k3s does not count as installed; empty when it does."""
    if not os.path.isfile(BINARY):
        return "k3s binary is not available"
    return "" if os.path.isfile(kubeconfig) else "k3s kubeconfig is not available"


def version() -> str:
    """As in `v1.34.4+k3s1`; empty when the program does not say."""
    try:
        words = run([BINARY, "--version"]).stdout.decode("utf-8", "replace").split()
    except CommandError:
        return ""
    return words[2] if len(words) > 3 and words[1] == "version" else ""


def configure(config: k3s_config.Config) -> bool:
    """Write k3s' settings. Whether that changed them."""
    content = k3s_config.render(config).reveal().encode()
    if root_file.read(k3s_config.PATH) == content:
        return False
    root_file.write(k3s_config.PATH, content, 0o600)
    return True


def install(fetched: installer.Fetched, secrets: Sequence[Secret], is_again: bool) -> None:
    """Run the installer for a server, which waits until k3s is up. No word and no variable of it is secret.

    `is_again`: an earlier run may have written all files and not started k3s, or with other settings; the installer
    would leave it so. Errors: CommandError.
    """
    if fetched.binary:
        root_file.copy(fetched.binary, BINARY, 0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith(_OF_K3S)}
    restart = {"INSTALL_K3S_FORCE_RESTART": "true"} if is_again else {}
    streamed.run(
        [fetched.script, "server"],
        env={**own, **installer.environment(fetched), **restart},
        timeout=_INSTALL_TIMEOUT,
        secrets=secrets,
    )


def uninstall(script: str) -> None:
    """Errors: CommandError."""
    streamed.run([script], timeout=_UNINSTALL_TIMEOUT)


def last_words(secrets: Sequence[Secret]) -> str:
    """What k3s logged last, for an error; empty where no journal is."""
    command = ["journalctl", "--unit", "k3s", "--lines", str(_JOURNAL_LINES), "--output", "cat", "--no-pager"]
    try:
        text = run(command, timeout=10.0).stdout.decode("utf-8", "replace").strip()
    except CommandError:
        return ""
    for secret in secrets:
        text = text.replace(secret.reveal(), "***")
    return "\n".join(line[:300] for line in text.splitlines())
