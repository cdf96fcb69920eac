"""What `initialize` puts on the host beside k3s: conveniences for people, and the helper for registries.yaml."""

import os
import stat

from scheduler_k3s import log
from scheduler_k3s.dokku import host, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import download, private, root_file
from scheduler_k3s.tools.command import CommandError, run

DIRECTORY = "/usr/local/bin"
CONVENIENCES = ("kubectx", "kubens")
REGISTRIES = "/usr/local/sbin/dokku-k3s-registries"
SUDOERS = "/etc/sudoers.d/dokku-k3s-registries"
_BASE = "https://github.com/ahmetb/kubectx/releases/latest/download"
_SETTING = "DOKKU_SCHEDULER_K3S_KUBECTX_URL"
_PATIENCE = 20.0
"""Seconds without a byte; nothing waits for these."""


def install_conveniences() -> None:
    """kubectx, kubens and a link to helm. No cluster depends on them: what fails is told and left out."""
    base = (os.environ.get(_SETTING) or triggers.ask("config-get-global", _SETTING).strip() or _BASE).rstrip(
        "/"
    )
    try:
        for name in CONVENIENCES:
            _fetch(name, f"{base}/{name}")
    except PluginError as error:
        log.warn(f"{' and '.join(CONVENIENCES)} are not installed: {error.message}")
    link = f"{DIRECTORY}/helm"
    if not os.path.lexists(link):
        os.symlink(private.path("helm"), link)


def install_registries_helper(plugin: str) -> None:
    """The only thing that dokku may do as root: read and write the registry logins of k3s. Errors: PluginError."""
    rule = ", ".join(f"{REGISTRIES} {word}" for word in ("read", "write"))
    line = f"{host.system_user()} ALL=(root) NOPASSWD: {rule}\n"
    root_file.write(REGISTRIES, root_file.read(f"{plugin}/lib/helpers/{os.path.basename(REGISTRIES)}"), 0o755)
    root_file.write(SUDOERS, line.encode(), 0o440)
    try:
        run(["visudo", "-c", "-q", "-f", SUDOERS])
    except CommandError as error:
        root_file.remove(SUDOERS)
        raise PluginError(f"Unable to let dokku run {REGISTRIES}: {error.message}") from None


def remove() -> None:
    """All but helm, which is the plugin's."""
    for name in CONVENIENCES:
        root_file.remove(f"{DIRECTORY}/{name}")
    remove_registries_helper()


def remove_registries_helper() -> None:
    root_file.remove(SUDOERS)
    root_file.remove(REGISTRIES)


def _fetch(name: str, url: str) -> None:
    place = f"{DIRECTORY}/{name}"
    try:
        with download.received(url, DIRECTORY, _PATIENCE) as (path, _):
            if os.stat(path)[stat.ST_SIZE] == 0:
                raise PluginError(f"Invalid {name} filesize")
            with open(path, "rb") as file:
                if file.read(2) != b"#!":
                    raise PluginError(f"{url} is not a script")
            os.chmod(path, 0o755)
            os.replace(path, place)
    except download.Refused as error:
        raise PluginError(f"Invalid status code for {name}: {error.code} ({url})") from None
