"""What a host must be to become a cluster: facts about it -> all that is wrong, and what is worth knowing. Pure."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from scheduler_k3s import charts, k3s_config, versions
from scheduler_k3s.errors import PluginError

INGRESS_CLASSES = ("nginx", "traefik")
PORTS = (6443, 10250, 2379, 2380)
WEB_PORTS = (80, 443)
_OTHERS = {"nginx": "traefik", "traefik": "ingress-nginx"}
_LEAST_MEMORY, _MEMORY, _ROOMY = 900, 1800, 3500
"""MiB: k3s does not start; what is left of a server with 2 GB; what all charts want."""
_SMALL = "longhorn,keda,keda-add-ons-http,vector"
_SET = "dokku scheduler-k3s:set --global"
_OLDER = {
    "agent": "This host is a worker of another cluster. To leave it, as root: /usr/local/bin/k3s-agent-uninstall.sh",
    "k3s": "Part of an older k3s is on this host. Remove it, as root: dokku scheduler-k3s:uninstall",
    "data": "/var/lib/rancher/k3s holds the data of an older cluster. Move it away: mv /var/lib/rancher{,.old}",
}


class Facts(NamedTuple):
    """`holders` says who listens on a TCP port. `older` is what is left here of another cluster: "" or see `_OLDER`."""

    machine: str = "x86_64"
    system: str = "Debian"
    has_apt: bool = True
    has_systemd: bool = True
    has_openrc: bool = False
    memory: int = 4000
    cores: int = 2
    has_cgroup_v2: bool = True
    has_wireguard: bool = True
    holders: Mapping[int, str] = {}
    older: str = ""
    has_foreign_config: bool = False
    kubeconfig: str = f"{k3s_config.DIRECTORY}/k3s.yaml"
    context: str = ""
    k3s_version: str = ""


def check_ingress_class(name: str) -> None:
    """Errors: PluginError."""
    if name not in INGRESS_CLASSES:
        raise PluginError(f"Invalid ingress-class: {name}")


def selected(ingress_class: str, disabled: Collection[str]) -> list[str]:
    """The charts that an ingress class and the choice of the administrator leave."""
    left_out = {_OTHERS.get(ingress_class, ""), *disabled}
    return [chart.name for chart in charts.CHARTS if chart.name not in left_out]


def problems(facts: Facts) -> list[str]:
    """Why no cluster can be made here, each with what mends it."""
    found = [*_place(facts), *_platform(facts)]
    taken: dict[str, list[int]] = {}
    for port in PORTS:
        if port in facts.holders:
            taken.setdefault(facts.holders[port], []).append(port)
    for holder, ports in taken.items():
        found.append(f"k3s needs port {_list(ports)}, held by {holder}. Stop that first")
    return [*found, _OLDER[facts.older]] if facts.older else found


def warnings(facts: Facts, names: Collection[str]) -> list[str]:
    """What does not keep a cluster from being made. `names` are the charts to be installed."""
    found = []
    if facts.memory < _MEMORY or facts.cores < 2:
        found.append(
            f"This host has {facts.cores} cores and {facts.memory} MiB of memory, k3s asks for 2 and 2048 MiB"
        )
    if facts.memory < _ROOMY and "longhorn" in names:
        found.append(
            f"{facts.memory} MiB are little for all system charts. Leave some out with: --without {_SMALL}"
        )
    if not facts.has_wireguard:
        found.append(
            "The kernel has no wireguard, which carries the network between pods. "
            "Check after the installation: modprobe wireguard"
        )
    if not facts.has_cgroup_v2 and not facts.k3s_version:
        found.append(
            "This host has cgroup v1, which k3s 1.35 and later refuse. "
            f"Should k3s not start: {_SET} k3s-version v1.34.4+k3s1"
        )
    web = {facts.holders[port] for port in WEB_PORTS if port in facts.holders}
    if web:
        text = f"Ports 80 and 443 are held by {' and '.join(sorted(web))}: the cluster's load balancer takes them over"
        is_nginx = any(holder.startswith("nginx ") for holder in web)
        hint = ", and apps of docker-local stop answering there. Stop it with: dokku nginx:stop"
        found.append(text + (hint if is_nginx else ""))
    return found


def _place(facts: Facts) -> list[str]:
    """Another cluster is configured, or half here."""
    found = []
    if facts.kubeconfig != Facts().kubeconfig:
        found.append(
            f"kubeconfig-path is {facts.kubeconfig}, of another cluster. Unset it first: {_SET} kubeconfig-path"
        )
    if facts.context not in ("", "default"):
        found.append(
            f"kube-context is {facts.context}, which k3s does not have. Unset it first: {_SET} kube-context"
        )
    if facts.has_foreign_config:
        found.append(
            f"{k3s_config.PATH} was not written by dokku. Move it: "
            f"mv {k3s_config.PATH} {k3s_config.DIRECTORY}/config.yaml.d/own.yaml"
        )
    return found


def service_manager(has_systemd: bool, has_openrc: bool) -> list[str]:
    """What is wrong with what starts a host's services."""
    found = []
    if not has_systemd:
        found.append(
            "k3s needs systemd, which is not running. Install it, and reboot: apt-get install systemd-sysv"
        )
    if has_openrc:
        found.append(
            "openrc is installed: k3s' installer prefers it to systemd. Remove it: apt-get purge openrc"
        )
    return found


def _platform(facts: Facts) -> list[str]:
    found = []
    try:
        versions.downloads(facts.machine)
    except PluginError as error:
        found.append(error.message)
    if not facts.has_apt:
        found.append(f"{facts.system} has no apt-get: only Debian, Ubuntu and their relatives are supported")
    found += service_manager(facts.has_systemd, facts.has_openrc)
    if facts.memory < _LEAST_MEMORY:
        found.append(f"k3s needs 2048 MiB of memory, this host has {facts.memory} MiB")
    if not facts.has_cgroup_v2 and _is_cgroup_v2_needed(facts.k3s_version):
        found.append(
            f"k3s {facts.k3s_version} needs cgroup v2, this host has v1. "
            f"Use an older one: {_SET} k3s-version v1.34.4+k3s1"
        )
    return found


def _is_cgroup_v2_needed(version: str) -> bool:
    """From 1.35 on. An unknown version may be any."""
    numbers = version.removeprefix("v").split(".")[:2]
    return all(part.isdecimal() for part in numbers) and tuple(map(int, numbers)) >= (1, 35)


def _list(ports: Collection[int]) -> str:
    return " and ".join(", ".join(map(str, sorted(ports))).rsplit(", ", 1))
