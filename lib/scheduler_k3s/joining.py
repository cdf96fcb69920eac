"""What a host that is to join says of itself, and what that means. Pure but for its script."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scheduler_k3s import host_check, k3s_config
from scheduler_k3s.errors import PluginError

UNITS = {"server": "k3s", "worker": "k3s-agent"}
UNINSTALLERS = {
    "k3s": "/usr/local/bin/k3s-uninstall.sh",
    "k3s-agent": "/usr/local/bin/k3s-agent-uninstall.sh",
}
_FAMILY = ("debian", "ubuntu")
_PORTS = {"worker": ("10250",), "server": ("10250", "6443", "2379", "2380")}
_SKEW = 60
"""Seconds that two clocks may differ: certificates begin to be valid when they are made."""

SCRIPT = """set -u
[ -r /etc/os-release ] && . /etc/os-release
echo "distribution=${ID:-} ${ID_LIKE:-}"
echo "machine=$(uname -m)"
echo "clock=$(date +%s)"
echo "node=$(uname -n | tr A-Z a-z)"
[ -d /run/systemd/system ] && echo systemd=yes
[ -e /sbin/openrc-run ] && echo openrc=yes
for unit in k3s k3s-agent; do
    file=/etc/systemd/system/$unit.service
    [ -f "$file" ] || continue
    echo "unit=$unit"
    tr -s '\\n\\t\\\\ ' ' ' <"$file" | sed -n "s/.*'--node-name' '\\([^']*\\)'.*/node=\\1\\n/p"
done
config=/etc/rancher/k3s/config.yaml
if [ -f "$config" ]; then
    echo "config=$(head -n 1 "$config")"
    sed -n 's/^node-name: "\\(.*\\)"$/node=\\1/p; s/^token: "K10\\([0-9a-f]*\\)::.*/authority=\\1/p' "$config"
fi
for file in /var/lib/rancher/k3s/server/tls/server-ca.crt /var/lib/rancher/k3s/agent/server-ca.crt; do
    [ -f "$file" ] && echo "authority=$(sha256sum <"$file" | cut -d ' ' -f 1)"
done
ip route get "$1" 2>/dev/null |
    sed -n 'h; s/.* src \\([^ ]*\\).*/source=\\1/p; g; s/.* dev \\([^ ]*\\).*/interface=\\1/p'
for port in 10250 6443 2379 2380; do
    ss -Hltnp "sport = :$port" 2>/dev/null |
        sed -n "s/.*((\\"\\([^\\"]*\\)\\",pid=\\([0-9]*\\).*/port=$port \\1 (process \\2)/p"
done
exit 0
"""
"""Its word is the address of the server. It prints lines of `name=value`, and no secret."""


class Host(NamedTuple):
    """`authority` is the digest of the CA that its k3s trusts, `node` the name it has there; both may be empty.

    `source` is the address and `interface` the device by which it reaches the server. `ports` are those that k3s
    needs, with who has them.
    """

    distribution: Sequence[str]
    machine: str
    has_systemd: bool
    has_openrc: bool
    clock: int
    unit: str
    config: str
    node: str
    authority: str
    source: str
    interface: str
    ports: Mapping[str, str]

    @property
    def has_k3s(self) -> bool:
        return bool(self.unit or self.authority)

    @property
    def is_configured_by_us(self) -> bool:
        return f"{self.config}\n" == k3s_config.MARK


def read(text: str) -> Host:
    """What the script printed. Of several values, such as two authorities, the last counts: what runs now."""
    pairs = [line.partition("=")[::2] for line in text.splitlines()]
    last = dict(pairs)
    return Host(
        distribution=last.get("distribution", "").split(),
        machine=last.get("machine", ""),
        has_systemd="systemd" in last,
        has_openrc="openrc" in last,
        clock=int(last.get("clock") or 0),
        unit=last.get("unit", ""),
        config=last.get("config", ""),
        node=last.get("node", ""),
        authority=last.get("authority", ""),
        source=last.get("source", ""),
        interface=last.get("interface", ""),
        ports=dict(value.partition(" ")[::2] for key, value in pairs if key == "port"),
    )


def check(host: Host, name: str, role: str, authority: str) -> None:
    """Refuse a host that cannot join, or that is somebody else's. Errors: PluginError with all that is wrong."""
    wrong = []
    if not set(_FAMILY) & set(host.distribution):
        found = " ".join(host.distribution) or "unknown"
        wrong.append(f"its distribution is {found}: only Debian and those made from it are supported")
    wrong += host_check.service_manager(host.has_systemd, host.has_openrc)
    wrong += _of_another_cluster(host, role, authority)
    if not host.has_k3s:
        taken = [f"{port} by {host.ports[port]}" for port in _PORTS[role] if port in host.ports]
        wrong += [f"ports that k3s needs are taken: {', '.join(taken)}"] if taken else []
    if wrong:
        raise PluginError(f"Unable to join {name}: {'; '.join(wrong)}")


def clock_warning(host: Host, name: str, now: float) -> str:
    """One line when the clocks differ by more than certificates bear, else ""."""
    skew = host.clock - int(now)
    if abs(skew) <= _SKEW:
        return ""
    direction = "ahead of" if skew > 0 else "behind"
    return (
        f"The clock of {name} is {abs(skew)} seconds {direction} this host's: certificates may not be valid yet. "
        "Set both by the same time server: timedatectl set-ntp true"
    )


def _of_another_cluster(host: Host, role: str, authority: str) -> list[str]:
    undo = f"If that is not needed any more, remove it there: sudo {UNINSTALLERS.get(host.unit, UNINSTALLERS['k3s'])}"
    if host.authority and host.authority != authority:
        return [f"it is in another cluster (CA {host.authority[:16]}). {undo}"]
    if host.unit and not host.authority:
        return [f"it has a k3s (unit {host.unit}) that does not say which cluster it is in. {undo}"]
    if host.config and not host.unit and not host.is_configured_by_us:
        return [
            f"it has settings of k3s that are not ours. Move them away: "
            f"sudo mv {k3s_config.PATH} {k3s_config.PATH}.old"
        ]
    if host.is_configured_by_us and host.unit not in ("", UNITS[role]):
        return [f"it was set up as another kind of node than {role} (unit {host.unit}). {undo}"]
    return []
