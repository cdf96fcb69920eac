"""A machine that is a dokku host: the stand-in dokku at dokku's own places, and the plugin of this checkout in it."""

import grp
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from rig import host
from rig.machines import image
from rig.machines.machine import Machine
from rig.machines.model import IMAGES, NEWEST, REGISTRY
from rig.machines.servers import Servers
from rig.node.model import DOCKER_SOCKET

TOOLS = "/opt/dokku-scheduler-k3s"
_DIGESTS = "/opt/digests-of-the-tests"
_STANDIN = "/opt/dokku-standin"
_SOURCES = "/opt/dokku-sources"
# The stand-in lays itself out below one folder; a real dokku's trees are these.
_LAY_OUT = f"""\
set -eu
{_SOURCES}/install {_STANDIN}
move() {{
	mkdir -p "${{2%/*}}"
	mv {_STANDIN}/$1 "$2"
	ln -s "$2" {_STANDIN}/$1
}}
move home /home/dokku
move lib /var/lib/dokku
move log /var/log/dokku
usermod --home /home/dokku dokku
printf "export DOKKU_ROOT=%s DOKKU_LIB_PATH=%s DOKKU_LOGS_DIR=%s\\n" /home/dokku /var/lib/dokku /var/log/dokku \\
	>{_STANDIN}/etc/default/dokku
cp {_STANDIN}/etc/default/dokku /etc/default/dokku
ln -s {_STANDIN}/bin/dokku {_STANDIN}/bin/plugn /usr/bin/
echo "export DOKKU_SCHEDULER_K3S_DIGESTS={_DIGESTS}" >/home/dokku/dokkurc
chown dokku:dokku /home/dokku/dokkurc
"""


class DokkuHost(Machine):
    """`dokku` runs a command as root types it."""

    def dokku(
        self,
        *words: str,
        check: bool = True,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 600.0,
    ) -> "subprocess.CompletedProcess[str]":
        return self.run(["dokku", *words], check=check, stdin=stdin, env=env, timeout=timeout)

    def set_up(self, servers: Servers, key: Path) -> None:
        """Installs dokku and the plugin, gives user dokku his ssh key, and names the tests' servers as mirrors."""
        if DOCKER_SOCKET.exists():
            group = grp.getgrgid(DOCKER_SOCKET.stat().st_gid)
            self.run(["groupadd", "--non-unique", "--gid", str(group.gr_gid), "docker"])
        self.run(["sh", "-c", _LAY_OUT])
        self._install_plugin()
        self.run(["install", "-d", "-o", "dokku", "-g", "dokku", "-m", "700", "/home/dokku/.ssh"])
        self.write("/home/dokku/.ssh/id_ed25519", key.read_text(), mode=0o600, owner="dokku")
        for name, value in (
            ("k3s-installer-url", servers.installer_url),
            ("k3s-release-url", servers.url),
            ("k3s-version", NEWEST),
        ):
            self.dokku("scheduler-k3s:set", "--global", name, value)
        self.dokku("registry:set", "--global", "server", REGISTRY)

    def _install_plugin(self) -> None:
        with host.repository() as url:
            content = BytesIO()
            with tarfile.open(fileobj=content, mode="w") as archive:
                archive.add(url.removeprefix("file://"), arcname="dokku-scheduler-k3s")
        unpack = self.command(["tar", "-x", "-C", "/root"])
        subprocess.run(unpack, input=content.getvalue(), check=True, timeout=60)
        clone = "/root/dokku-scheduler-k3s"
        self.run(["chown", "-R", "root:root", clone])
        self.run([f"{clone}/install.sh", f"file://{clone}"], env={"DOKKU_SCHEDULER_K3S_DIGESTS": _DIGESTS})


def seen() -> dict[str, str]:
    """What a dokku host sees of this machine, besides what every machine does: docker, and dokku's sources."""
    paths = {str(host.CHECKOUT / "tests/rig/dokku"): _SOURCES}
    if DOCKER_SOCKET.exists():
        paths |= {str(DOCKER_SOCKET): str(DOCKER_SOCKET), "/usr/bin/docker": "/usr/bin/docker"}
    return paths


def tools() -> Path:
    """A layer with the plugin's own tools, put there by the plugin's own way; machines reach no package registry."""
    layer = IMAGES / f"tools-{_digest()}"
    with image.lock():
        if not layer.exists():
            _make_tools(layer)
    return layer


def _make_tools(layer: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(dir=IMAGES))
    unfinished.chmod(0o755)
    try:
        (unfinished / "opt").mkdir()
        with host.downloads() as settings:
            settings["DOKKU_SCHEDULER_K3S_TOOLS"] = f"{unfinished}{TOOLS}"
            done = subprocess.run(
                [str(host.CHECKOUT / "dependencies")],
                env={**os.environ, **settings},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise AssertionError(f"dependencies: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
            shutil.copy(settings["DOKKU_SCHEDULER_K3S_DIGESTS"], f"{unfinished}{_DIGESTS}")
        (unfinished / _DIGESTS.lstrip("/")).chmod(0o644)
        unfinished.rename(layer)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _digest() -> str:
    """Of what decides which tools are installed."""
    digest = hashlib.sha256(TOOLS.encode())
    for name in (
        "requirements.txt",
        "lib/scheduler_k3s/versions.py",
        "lib/scheduler_k3s/operations/dependencies.py",
    ):
        digest.update((host.CHECKOUT / name).read_bytes())
    return digest.hexdigest()[:12]
