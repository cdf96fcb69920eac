"""The steps of joining a host that change something there. Each may be repeated."""

import contextlib
import hashlib
import re
from collections.abc import Iterator

from scheduler_k3s import k3s_config, log, registries, settings
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.joining import UNITS
from scheduler_k3s.operations import node_registries, work_directory
from scheduler_k3s.tools import installer, k3s, ssh
from scheduler_k3s.tools.command import CommandError

_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "-o", "DPkg::Lock::Timeout=300")
_APT_TIMEOUT = 1200.0
_INSTALL_TIMEOUT = 1200.0
_SEND_TIMEOUT = 900.0
_WORDS = {"server": "server", "worker": "agent"}
_TOKEN = re.compile(r"K10[0-9a-f]{64}::\S+")
_BAD = re.compile(r"level=(?:fatal|error)")


def prepare(remote: ssh.Remote) -> None:
    """The packages that k3s and longhorn need. A dpkg that was cut off earlier is brought to its end first."""
    log.headline_quiet("Updating apt")
    remote.stream("apt-get update", [*_APT, "update"], _APT_TIMEOUT)
    log.headline_quiet("Installing k3s dependencies")
    remote.stream(
        "dpkg", ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--configure", "-a"], _APT_TIMEOUT
    )
    remote.stream("apt-get install", [*_APT, "-y", "install", *k3s.PACKAGES], _APT_TIMEOUT)


@contextlib.contextmanager
def fetched(remote: ssh.Remote, version: str, machine: str) -> Iterator[installer.Fetched]:
    """The checked installer, with k3s itself where a mirror is set; the script is on the host already."""
    with work_directory.below(host.data(properties.GLOBAL)) as directory:
        log.headline_quiet("Downloading k3s installer")
        files = installer.fetch(directory, version, machine)
        log.headline_quiet("Setting k3s installer permissions")
        with open(files.script, "rb") as file:
            remote.put(_script(remote), file.read(), "0700")
        log.headline_quiet("Ensuring compatible k3s version for node")
        log.detail_quiet(f"k3s {version}, the lowest of the servers")
        yield files


def check_server(remote: ssh.Remote, server: str) -> None:
    """Whether the host reaches the server at all. Errors: PluginError."""
    url = f"{k3s_config.server_url(server)}/readyz"
    words = ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*", "--output", "/dev/null"]
    try:
        remote.run([*words, "--connect-timeout", "10", "--max-time", "20", url])
    except CommandError as error:
        raise PluginError(
            f"{remote.place.host} does not reach the server at {url}: {error.output}. TCP port 6443 must be open "
            "between them; another address of the server is named with --server-ip"
        ) from None


def install(remote: ssh.Remote, files: installer.Fetched, role: str, config: k3s_config.Config) -> None:
    """k3s, its settings and its unit; nothing is started. Errors: PluginError."""
    if files.binary:
        _send_binary(remote, files.binary)
    remote.put(k3s_config.PATH, k3s_config.render(config).reveal().encode())
    _give_registries(remote)
    variables = {**installer.environment(files), "INSTALL_K3S_SKIP_START": "true"}
    words = [
        "env",
        *(f"{key}={value}" for key, value in variables.items()),
        "sh",
        _script(remote),
        _WORDS[role],
    ]
    remote.stream("k3s installer", words, _INSTALL_TIMEOUT)


def start(remote: ssh.Remote, role: str) -> None:
    """Without waiting: a node that does not reach its server would be waited for without limit."""
    try:
        remote.run(["systemctl", "restart", "--no-block", UNITS[role]])
    except CommandError as error:
        raise PluginError(f"Unable to start k3s on {remote.place.host}: {error.output}") from None


def last_words(remote: ssh.Remote, role: str) -> str:
    """What k3s there logged last, its last error if there is one."""
    words = ["journalctl", "--unit", UNITS[role], "--lines", "40", "--output", "cat", "--no-pager"]
    try:
        text = remote.run(words, timeout=20.0).stdout.decode("utf-8", "replace")
    except CommandError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bad = [line for line in lines if _BAD.search(line)]
    last = (bad or lines or [""])[-1]
    return _TOKEN.sub("***", last)[:300]


def _send_binary(remote: ssh.Remote, path: str) -> None:
    with open(path, "rb") as file:
        content = file.read()
    there = remote.script('sha256sum "$1" 2>/dev/null | cut -d " " -f 1; exit 0', k3s.BINARY).strip()
    if there != hashlib.sha256(content).hexdigest():
        log.detail_quiet(f"Sending k3s ({len(content) // 2**20} MiB)")
        remote.put(k3s.BINARY, content, "0755", timeout=_SEND_TIMEOUT)


def _give_registries(remote: ssh.Remote) -> None:
    """With `node-registries`, the logins that this host has."""
    if not settings.boolean(settings.value(settings.GLOBAL, "node-registries")):
        return
    try:
        if text := node_registries.here():
            remote.put(registries.PATH, text.encode())
    except PluginError as error:
        log.warn(f"The node gets no registry logins: {error.message}")


def _script(remote: ssh.Remote) -> str:
    return f"{remote.directory}/k3s-installer.sh"
