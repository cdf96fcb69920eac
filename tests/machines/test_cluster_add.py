"""Hosts join the cluster over ssh and leave it again, however that is broken off, and no request is lost."""

import hashlib
import json
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rig import charts, images
from rig.charts.repository import pod_image
from rig.load import Load
from rig.machines.dokku_host import DokkuHost
from rig.machines.laboratory import Laboratory
from rig.machines.machine import Machine

TOKEN = "canary0canary1canary2canary3canary4"
NONE = "cert-manager,longhorn,traefik,ingress-nginx,keda,keda-add-ons-http,vector"
INSTALLER = "/install.sh"
REGISTRIES = "/etc/rancher/k3s/registries.yaml"
PORT = 30080
CUTS_THE_CONNECTION = b"""#!/bin/sh
for process in /proc/[0-9]*; do
    case $(tr '\\0' ' ' <"$process/cmdline") in "sshd: admin"*) kill -KILL "${process#/proc/}" ;; esac
done
sleep 300
"""
OTHER_NETWORK = "/var/lib/rancher/k3s/agent/etc/cni/net.d/05-other.conflist"
SHARED, OVERRIDDEN = "vm.dirty_writeback_centisecs", "vm.stat_interval"
ADD, REMOVE = "scheduler-k3s:cluster:add", "scheduler-k3s:cluster:remove"
SYSCTL = "scheduler-k3s:node-sysctls:set"


@pytest.fixture(scope="module")
def host(lab: Laboratory) -> Iterator[DokkuHost]:
    made = lab.dokku()
    with charts.serve(address=lab.place.gateway) as repository:
        made.dokku("scheduler-k3s:set", "--global", "chart-repository-url", repository.url)
        made.dokku("scheduler-k3s:set", "--global", "token", TOKEN)
        made.dokku("scheduler-k3s:initialize", "--without", NONE)
    made.dokku("ps:set", "--global", "stop-timeout-seconds", "2")
    for words in (("scheduler:set", "--global", "selected", "k3s"), ("proxy:set", "--global", "k3s")):
        made.dokku(*words)
    made.dokku("registry:set", "--global", "push-on-release", "true")
    yield made


@pytest.fixture(scope="module")
def worker(lab: Laboratory, host: DokkuHost) -> Machine:
    made = lab.machine("worker-1")
    know(host, made)
    return made


def know(host: DokkuHost, *machines: Machine) -> None:
    known = "/home/dokku/.ssh/known_hosts"
    lines = (host.read(known) if host.exists(known) else "") + "".join(item.known_host for item in machines)
    host.write(known, lines, mode=0o600, owner="dokku")


def run(host: DokkuHost, *words: str) -> str:
    """All that a command said, its exit code at the end."""
    done = host.dokku(*words, check=False)
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return f"{done.stdout}{done.stderr}exit {done.returncode}\n"


def nodes(host: DokkuHost) -> dict[str, dict[str, Any]]:
    """The cluster's nodes by their address."""
    found = json.loads(host.run(["kubectl", "get", "nodes", "-o", "json"]).stdout)["items"]
    return {item["status"]["addresses"][0]["address"]: item for item in found}


def listed(host: DokkuHost) -> dict[str, dict[str, Any]]:
    found = json.loads(host.dokku("scheduler-k3s:cluster:list", "--format", "json").stdout)
    return {item["Name"]: item for item in found}


def broken_installer(lab: Laboratory, script: bytes) -> Callable[[], None]:
    """Offer another installer, with its digest; what is returned brings the right one back."""
    pages = dict(lab.servers.pages)
    digest = f"{hashlib.sha256(script).hexdigest()}  install.sh\n".encode()
    lab.servers.pages |= {INSTALLER: lambda: script, f"{INSTALLER}.sha256sum": lambda: digest}
    return lambda: lab.servers.pages.update(pages)


def is_untouched(machine: Machine) -> bool:
    """Whether nothing of k3s, and nothing of ours, is there."""
    left = machine.run(
        ["sh", "-c", "ls -d /etc/rancher /usr/local/bin/k3s* /tmp/dokku-k3s.* 2>/dev/null; exit 0"]
    )
    return left.stdout == ""


def leave_nothing_behind(*machines: Machine) -> None:
    """Of our own, once the connection has ended."""
    look = ["sh", "-c", "ls -d /tmp/dokku-k3s.* /tmp/k3s-ssh-* 2>/dev/null; exit 0"]
    for machine in machines:
        comes_to_an_end(machine, look)


def comes_to_an_end(machine: Machine, look: list[str]) -> None:
    """Whatever the command lists."""
    deadline = time.monotonic() + 60
    while left := machine.run(look).stdout:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.2)


def configured_name(machine: Machine) -> str:
    """The name of its node, as k3s is told there."""
    extract = ["sed", "-n", 's/^node-name: "\\(.*\\)"$/\\1/p', "/etc/rancher/k3s/config.yaml"]
    return machine.run(extract).stdout.strip()


def said_after(told: str, sign: str) -> str:
    """The rest of the line behind a sign."""
    return told.partition(sign)[2].partition("\n")[0]


@pytest.mark.parametrize(
    "case",
    [
        (INSTALLER, "404", "Invalid status code for k3s installer script: 404"),
        (INSTALLER, "html", "answered with a web page instead of the file"),
        (INSTALLER, "wrong", "has the sha256 digest"),
        ("/v1.34.4+k3s1/k3s", "truncated", "ended after"),
    ],
    ids=lambda case: case[1],
)
def test_what_cannot_be_downloaded_changes_nothing(
    lab: Laboratory, host: DokkuHost, worker: Machine, case: tuple[str, str, str]
) -> None:
    path, fault, expected = case
    lab.servers.faults[path] = fault
    try:
        told = run(host, ADD, worker.ssh_url)
    finally:
        lab.servers.faults.clear()
    assert expected in told
    assert told.endswith("exit 1\n")
    leave_nothing_behind(host, worker)
    assert is_untouched(worker)


def test_a_host_that_is_not_known_or_not_ours(lab: Laboratory, host: DokkuHost) -> None:
    stranger = lab.machine("stranger")
    told = run(host, ADD, stranger.ssh_url)
    assert f"The ssh key of {stranger.address} is not known" in told
    assert is_untouched(stranger)

    know(host, stranger, host)
    told = run(host, ADD, f"ssh://nobody@{stranger.address}")
    assert "authorized_keys" in told
    stranger.run(["mv", "/etc/sudoers.d", "/etc/sudoers.d.away"])
    told = run(host, ADD, stranger.admin_url)
    assert f"admin@{stranger.address} may not become root without a password" in told
    stranger.run(["mv", "/etc/sudoers.d.away", "/etc/sudoers.d"])

    stranger.write("/etc/systemd/system/k3s-agent.service", "[Service]\nExecStart=/usr/local/bin/k3s agent\n")
    stranger.write("/var/lib/rancher/k3s/agent/server-ca.crt", "another CA\n")
    stranger.write("/sbin/openrc-run", "")
    told = run(host, ADD, stranger.admin_url)
    digest = hashlib.sha256(b"another CA\n").hexdigest()
    assert f"it is in another cluster (CA {digest[:16]})" in told
    assert "sudo /usr/local/bin/k3s-agent-uninstall.sh" in told
    assert (
        "openrc is installed: k3s' installer prefers it to systemd. Remove it: apt-get purge openrc" in told
    )
    assert not stranger.exists("/etc/rancher")

    assert "is this host itself" in run(host, ADD, "--role", "server", host.ssh_url)


def test_a_join_is_broken_off_in_every_way(lab: Laboratory, host: DokkuHost, worker: Machine) -> None:
    restore = broken_installer(lab, b"#!/bin/sh\necho the installer fails\nexit 7\n")
    told = run(host, ADD, worker.admin_url)
    restore()
    assert "the installer fails" in told
    assert "Invalid exit code from k3s installer command over ssh: 7" in told
    assert f"To go on, repeat: dokku {ADD} {worker.admin_url}\n" in told
    name = configured_name(worker)

    restore = broken_installer(lab, b"#!/bin/sh\necho $$ >/root/x; mv /root/x /root/installer; sleep 300\n")
    for number, expected in ((signal.SIGTERM, "Joining the host has been cancelled"), (signal.SIGKILL, "")):
        process = host.popen(["dokku", ADD, worker.admin_url])
        while not worker.exists("/root/installer"):
            time.sleep(0.2)
        pid = worker.read("/root/installer").strip()
        if number == signal.SIGTERM:
            host.interrupt(process, number)
        else:
            ours = host.run(["pgrep", "--full", "subcommands/cluster:add"]).stdout.split()
            host.run(["kill", "-KILL", *ours])
        assert expected in process.communicate(timeout=60)[0]
        leave_nothing_behind(host, worker)
        assert not worker.exists(f"/proc/{pid}")
        worker.run(["rm", "/root/installer"])
    restore()

    restore = broken_installer(lab, CUTS_THE_CONNECTION)
    told = run(host, ADD, worker.admin_url)
    restore()
    assert "Unable to call k3s installer command over ssh: the connection was lost" in told

    block = ["-p", "tcp", "--dport", "6443", "-j", "REJECT"]
    worker.run(["iptables", "-I", "OUTPUT", *block])
    told = run(host, ADD, worker.admin_url)
    worker.run(["iptables", "-D", "OUTPUT", *block])
    assert f"does not reach the server at https://{host.address}:6443" in told
    assert configured_name(worker) == name


def test_a_node_that_never_gets_ready_is_explained_and_joins_when_mended(
    host: DokkuHost, worker: Machine
) -> None:
    name = configured_name(worker)
    host.dokku("scheduler-k3s:profiles:add", "edge", "--kubelet-args", "max-pods=20")
    arguments = ["--kubelet-args", "eviction-hard=memory.available<50Mi,nodefs.available<1%"]
    words = (ADD, "--profile", "edge", *arguments, worker.admin_url)
    worker.write(OTHER_NETWORK, "not a network\n")
    host.dokku("scheduler-k3s:set", "--global", "deploy-timeout", "10s")
    for _ in range(6):  # on a busy machine the node may not even have appeared by then; each run goes on
        told = run(host, *words)
        if "cni plugin not initialized" in told:
            break
    host.dokku("scheduler-k3s:set", "--global", "deploy-timeout")
    assert f" !     After 10s (deploy-timeout): Node {name} is not Ready: KubeletNotReady: " in told
    assert "cni plugin not initialized" in told
    look = said_after(told, "To see what k3s says there: ")
    assert "k3s" in host.run(["sh", "-c", look]).stdout
    worker.run(["rm", OTHER_NETWORK])
    assert shlex.split(said_after(told, "To go on, repeat: ")) == ["dokku", *words]
    told = run(host, *words)
    assert told.endswith("       Done\nexit 0\n")
    left = host.run(["find", "/var/lib/dokku/data/scheduler-k3s", "-name", ".fetched-*"])
    assert left.stdout == ""
    node = nodes(host)[worker.address]
    assert node["metadata"]["name"] == name
    assert node["metadata"]["labels"]["dokku.com/node-profile"] == "edge"
    assert node["metadata"]["annotations"]["dokku.com/remote-host"] == worker.admin_url
    assert listed(host)[name] == {
        "Name": name,
        "Ready": True,
        "RemoteHost": worker.admin_url,
        "Roles": ["worker"],
        "Version": "v1.34.4+k3s1",
    }


def test_what_a_worker_is_told_stays_with_root(host: DokkuHost, worker: Machine) -> None:
    secret = host.read("/var/lib/dokku/config/scheduler-k3s/--global/agent-token")
    config = worker.read("/etc/rancher/k3s/config.yaml")
    assert secret in config
    assert TOKEN not in config
    assert worker.run(["stat", "-c", "%a %U", "/etc/rancher/k3s/config.yaml"]).stdout == "600 root\n"
    unit = worker.read("/etc/systemd/system/k3s-agent.service")
    words = worker.run(["sh", "-c", "cat /proc/[0-9]*/cmdline"]).stdout
    assert secret not in unit + words
    told = run(host, ADD, worker.ssh_url)
    assert "is in this cluster already" in told
    assert "is in this cluster as a worker" in run(host, ADD, "--role", "server", worker.ssh_url)


def test_every_node_gets_the_sysctls_of_its_scope(host: DokkuHost, worker: Machine) -> None:
    """All machines have one kernel here: the log of each node's pod tells what was set there."""
    for image in ("node-sysctls-image", "node-sysctls-pause-image"):
        host.dokku("scheduler-k3s:set", "--global", image, pod_image())
    paths = [Path("/proc/sys", *name.split(".")) for name in (SHARED, OVERRIDDEN)]
    before = [int(path.read_text()) for path in paths]
    shared, common, own = before[0] + 1, before[1] + 1, before[1] + 2
    scopes = {host: ("dokku-node-sysctls-global", common), worker: ("dokku-node-sysctls-profile-edge", own)}
    try:
        host.dokku(SYSCTL, SHARED, str(shared))
        host.dokku(SYSCTL, OVERRIDDEN, str(common))
        host.dokku(SYSCTL, OVERRIDDEN, str(own), "--profile", "edge")
        for machine, (release, value) in scopes.items():
            kubectl = ["kubectl", "--namespace=kube-system"]
            host.run([*kubectl, "rollout", "status", f"daemonset/{release}", "--timeout=180s"])
            label = f"--selector=app.kubernetes.io/name={release}"
            pods = json.loads(host.run([*kubectl, "get", "pods", label, "--output=json"]).stdout)["items"]
            (pod,) = [item for item in pods if "deletionTimestamp" not in item["metadata"]]
            (setter,) = pod["status"]["initContainerStatuses"]
            assert pod["status"]["hostIP"] == machine.address
            assert setter["state"]["terminated"]["exitCode"] == 0
            said = host.run([*kubectl, "logs", pod["metadata"]["name"], "--container=apply-sysctls"]).stdout
            assert said == f"{SHARED} = {shared}\n{OVERRIDDEN} = {value}\n"
            assert int(machine.read(str(paths[0]))) == shared
            assert int(machine.read(str(paths[1]))) in (common, own)
    finally:
        told = run(host, SYSCTL, OVERRIDDEN, "--profile", "edge")
        told += run(host, SYSCTL, OVERRIDDEN) + run(host, SYSCTL, SHARED)
        for path, value in zip(paths, before, strict=True):
            path.write_text(f"{value}\n")
    for release, _ in scopes.values():
        assert told.count(f"       Removing node sysctls release {release}\n") == 1
    comes_to_an_end(host, ["kubectl", "get", "daemonsets", "--all-namespaces", "--output=name"])


def test_a_login_reaches_every_node_and_no_k3s_is_restarted(host: DokkuHost, worker: Machine) -> None:
    host.dokku("scheduler-k3s:set", "--global", "node-registries", "true")
    worker.write(REGISTRIES, "mirrors: {docker.io: {endpoint: [https://mirror.example.com]}}\n")
    started = worker.run(["systemctl", "show", "--property=MainPID", "k3s-agent"]).stdout
    told = run(host, "registry:login", "docker.io", "me", "canary")
    assert "canary" not in told
    assert f"@{worker.address}:22\n" in told
    assert "On this host, when it suits: sudo systemctl restart k3s\n" in told
    assert "when it suits: sudo systemctl restart k3s-agent\n" in told
    for machine in (host, worker):
        found = yaml.safe_load(machine.read(REGISTRIES))
        login = {"auth": {"username": "me", "password": "canary"}}
        assert found["configs"] == {"registry-1.docker.io": login}
        assert machine.run(["stat", "-c", "%a %U", REGISTRIES]).stdout == "600 root\n"
    assert yaml.safe_load(worker.read(REGISTRIES))["mirrors"]
    assert worker.run(["systemctl", "show", "--property=MainPID", "k3s-agent"]).stdout == started
    assert "when it suits" not in run(host, "registry:login", "docker.io", "me", "canary")


def test_a_server_joins_etcd_and_leaves_it(lab: Laboratory, host: DokkuHost, worker: Machine) -> None:
    server = lab.machine("server-2")
    told = run(host, ADD, "--role", "server", "--insecure-allow-unknown-hosts", server.ssh_url)
    assert f"Recorded the ssh key of {server.address} unseen: ED25519 SHA256:" in told
    assert told.endswith("exit 0\n")
    node = nodes(host)[server.address]["metadata"]
    assert node["labels"]["svccontroller.k3s.cattle.io/enablelb"] == "true"
    assert listed(host)[node["name"]]["Roles"] == ["control-plane", "etcd"]
    assert server.read(REGISTRIES) == host.read(REGISTRIES)
    assert members(host) == 2
    (first,) = [name for name, item in listed(host).items() if not item["RemoteHost"]]
    assert f"Node {first} is not a remote node managed by Dokku" in run(host, REMOVE, first)
    told = run(host, REMOVE, node["name"])
    assert told.endswith("       Done\nexit 0\n")
    assert members(host) == 1
    assert set(nodes(host)) == {host.address, worker.address}
    assert not server.exists("/usr/local/bin/k3s")


def test_pods_leave_before_their_node_and_no_request_is_lost(host: DokkuHost, worker: Machine) -> None:
    """The worker is uninstalled as one that the earlier scheduler joined: by the script of servers."""
    host.run(["docker", "pull", "--quiet", images.sample()])
    for words in (("apps:create", "shop"), ("ps:scale", "shop", "web=2"), ("domains:disable", "shop")):
        host.dokku(*words)
    host.dokku("git:from-image", "shop", images.sample())
    port = {"port": 80, "targetPort": 5000, "nodePort": PORT}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "load"},
        "spec": {"type": "NodePort", "selector": {"app.kubernetes.io/instance": "shop-web"}, "ports": [port]},
    }
    host.run(["kubectl", "apply", "-f", "-"], stdin=json.dumps(service))
    name = nodes(host)[worker.address]["metadata"]["name"]
    here = host.run(["kubectl", "get", "pods", "-o", "wide"]).stdout
    assert name in here
    host.run(
        ["kubectl", "run", "alone", "--image=pause:3.9", f'--overrides={{"spec": {{"nodeName": "{name}"}}}}']
    )
    told = run(host, REMOVE, name)
    assert "default/alone" in told
    assert "--force" in told
    assert host.run(["kubectl", "get", "pods", "-o", "wide"]).stdout.count(name) == here.count(name) + 1
    host.run(["kubectl", "delete", "pod", "alone", "--now"])

    worker.run(["mv", "/usr/local/bin/k3s-agent-uninstall.sh", "/usr/local/bin/k3s-uninstall.sh"])
    with Load(host.address, PORT, workers=4) as load:
        time.sleep(1)
        told = run(host, REMOVE, name)
        time.sleep(1)
    assert "Moving default/shop-web to other nodes" in told
    assert told.endswith("       Done\nexit 0\n")
    assert (load.lost, dict(load.failures)) == (0, {})
    assert load.requests > 100
    assert set(nodes(host)) == {host.address}
    assert not worker.exists("/usr/local/bin/k3s")
    assert not worker.exists("/etc/rancher/k3s")


def test_a_dead_host_leaves_only_by_force(lab: Laboratory, host: DokkuHost, worker: Machine) -> None:
    assert run(host, ADD, worker.ssh_url).endswith("exit 0\n")
    name = nodes(host)[worker.address]["metadata"]["name"]
    worker.run(["systemctl", "stop", "ssh"])
    told = run(host, REMOVE, name)
    assert f"connect to host {worker.address} port 22: Connection refused" in told
    assert "--force" in told
    assert told.endswith("exit 1\n")
    assert name in listed(host)
    worker.power_off()
    told = run(host, REMOVE, name, "--force")
    assert f"k3s stays installed on {worker.address}" in told
    assert told.endswith("exit 0\n")
    assert name not in listed(host)
    worker.boot()
    told = run(host, ADD, worker.ssh_url)
    assert told.endswith("exit 0\n")


def members(host: DokkuHost) -> int:
    """How many members etcd has, asked as k3s asks it."""
    tls = "/var/lib/rancher/k3s/server/tls/etcd"
    keys = ["--cacert", f"{tls}/server-ca.crt", "--cert", f"{tls}/client.crt", "--key", f"{tls}/client.key"]
    url = "https://127.0.0.1:2379/v3/cluster/member/list"
    answer = host.run(["curl", "--silent", "--fail", *keys, "--data", "{}", url]).stdout
    return len(json.loads(answer)["members"])
