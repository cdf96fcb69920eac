"""The stand-in for k3s keeps the promises of k3s' documentation that the plugin counts on."""

import json
import time
from collections.abc import Callable

import pytest
from rig.machines.laboratory import Laboratory
from rig.machines.machine import Machine
from rig.machines.model import NEWEST

SECRET = "0123456789abcdef0123456789abcdef"
AGENT_SECRET = "fedcba9876543210fedcba9876543210"
_COMMON = "disable: [traefik, local-storage]\nflannel-backend: wireguard-native\n"
_REGISTRIES = {
    "mirrors": {"docker.io": {"endpoint": ["http://mirror.example.com"]}},
    "configs": {"registry.example.com": {"auth": {"username": "me", "password": 'p"w'}}},
}
_CONFIG = "/etc/rancher/k3s/config.yaml"


def _install(
    lab: Laboratory, machine: Machine, *words: str, env: dict[str, str] | None = None, check: bool = True
) -> str:
    """Runs the installer as its documentation says and returns all that it printed."""
    script = 'curl -fsSL "$0" -o /root/install.sh && sh /root/install.sh "$@" 2>&1'
    done = machine.run(
        ["sh", "-c", script, lab.servers.installer_url, *words], env=env, check=check, timeout=120
    )
    return done.stdout + done.stderr


def _kubectl(machine: Machine, *words: str) -> str:
    return machine.run(["kubectl", *words]).stdout


def _until(answer: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answer():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.3)


def _is_ready(server: Machine, name: str) -> bool:
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    return server.run(["kubectl", "get", "node", name, "-o", path], check=False).stdout == "True"


@pytest.fixture(scope="module")
def server(lab: Laboratory) -> Machine:
    machine = lab.machine("server-1")
    settings = f"cluster-init: true\ntoken: {SECRET}\nagent-token: {AGENT_SECRET}\nnode-name: first\n"
    machine.write(
        _CONFIG,
        settings + _COMMON + "write-kubeconfig-mode: '0640'\nwrite-kubeconfig-group: admin\n",
        mode=0o600,
    )
    machine.write("/etc/rancher/k3s/registries.yaml", json.dumps(_REGISTRIES), mode=0o600)
    _install(lab, machine)
    return machine


@pytest.fixture(scope="module")
def full_token(server: Machine) -> str:
    return server.read("/var/lib/rancher/k3s/server/token").strip()


def test_faults_of_the_download_are_noticed(lab: Laboratory) -> None:
    machine = lab.machine("victim")
    for path, fault in (
        (f"/{NEWEST}/k3s", "wrong"),
        (f"/{NEWEST}/k3s", "truncated"),
        ("/channels/stable", "404"),
    ):
        lab.servers.faults = {path: fault}
        assert "[ERROR]" in _install(lab, machine, check=False), fault
    lab.servers.faults = {}
    assert not machine.exists("/usr/local/bin/k3s")
    assert not machine.exists("/etc/systemd/system/k3s.service")
    told = _install(lab, machine, env={"K3S_URL": "https://192.0.2.1:6443"}, check=False)
    assert "K3S_TOKEN" in told


def test_a_first_server(server: Machine, full_token: str) -> None:
    _until(lambda: _is_ready(server, "first"), "the node")
    node = json.loads(_kubectl(server, "get", "node", "first", "-o", "json"))
    labels, annotations = node["metadata"]["labels"], node["metadata"]["annotations"]
    assert labels["node-role.kubernetes.io/control-plane"] == labels["node-role.kubernetes.io/etcd"] == "true"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == NEWEST
    assert annotations["flannel.alpha.coreos.com/backend-type"] == "wireguard-native"
    assert SECRET not in annotations["k3s.io/node-args"]
    assert server.run(["k3s", "--version"]).stdout.split()[:3] == ["k3s", "version", NEWEST]
    assert full_token.startswith("K10") and full_token.endswith(f"::server:{SECRET}")
    for path, mode in (
        ("/etc/rancher/k3s/k3s.yaml", "640 admin"),
        ("/etc/systemd/system/k3s.service.env", "600 root"),
        ("/var/lib/rancher/k3s/server/token", "600 root"),
    ):
        assert server.run(["stat", "-c", "%a %G", path]).stdout == f"{mode}\n", path
    assert server.run(["curl", "-sk", "https://127.0.0.1:6443/ping"]).stdout == "pong"
    assert '"code": 401' in server.run(["curl", "-sk", "https://127.0.0.1:6443/version"]).stdout
    assert "deployments" not in _kubectl(server, "get", "deployments", "-n", "kube-system", "-o", "name")


def test_registries_are_read_at_the_start(server: Machine) -> None:
    folder = "/var/lib/rancher/k3s/agent/etc/containerd"
    assert '"http://mirror.example.com"' in server.read(f"{folder}/certs.d/docker.io/hosts.toml")
    settings = server.read(f"{folder}/config.toml")
    assert 'registry.configs."registry.example.com".auth]' in settings
    assert 'password = "p\\"w"' in settings


def test_wrong_words_are_refused(server: Machine) -> None:
    for words, told in (
        (["agent", "--cluster-init"], "not defined: -cluster-init"),
        (["server", "--no-such-flag"], "not defined: -no-such-flag"),
        (["agent", "--token", "x"], "--server is required"),
        (["server", "--cluster-init", "--token", "another"], "the token is not the one"),
    ):
        refused = server.run(["timeout", "20", "k3s", *words, "--config=/nowhere"], check=False)
        assert refused.returncode == 1, words
        assert told in refused.stderr


def test_an_agent_joins_with_the_right_token_only(lab: Laboratory, server: Machine, full_token: str) -> None:
    agent = lab.machine("agent-1")
    digest = full_token.removeprefix("K10").split("::")[0]
    url = f"https://{server.address}:6443"
    _install(lab, agent, "agent", env={"INSTALL_K3S_SKIP_START": "true"})
    for token, told in (
        (f"K10{'0' * 64}::node:{AGENT_SECRET}", "has the digest"),
        (f"K10{digest}::node:{SECRET}", "401 Unauthorized"),
    ):
        agent.write(_CONFIG, f"server: {url}\ntoken: {token}\nnode-name: worker\n", mode=0o600)
        tried = agent.run(["timeout", "5", "k3s", "agent"], check=False)
        assert (tried.returncode, told in tried.stderr) == (124, True), tried.stderr
    arguments = "kubelet-arg: ['eviction-hard=memory.available<200Mi', max-pods=50]\n"
    good = f"token: K10{digest}::node:{AGENT_SECRET}\nnode-name: worker\n"
    agent.write(_CONFIG, good + arguments, mode=0o600)
    _install(lab, agent, "agent", env={"K3S_URL": url})
    _until(lambda: _is_ready(server, "worker"), "the agent")
    node = json.loads(_kubectl(server, "get", "node", "worker", "-o", "json"))
    assert node["status"]["capacity"]["pods"] == "50"
    assert not [label for label in node["metadata"]["labels"] if label.startswith("node-role.kubernetes.io/")]
    assert agent.exists("/usr/local/bin/k3s-agent-uninstall.sh")


def test_pods_talk_across_machines(server: Machine) -> None:
    image = ["--image=rig.local/pause:1", "--image-pull-policy=Never", "--restart=Never"]
    serve = ["--", "/bin/sh", "-c", "echo across >/tmp/index.html; exec httpd -f -p 8080 -h /tmp"]
    for name, node in (("web", "worker"), ("client", "first")):
        override = json.dumps({"apiVersion": "v1", "spec": {"nodeName": node}})
        _kubectl(server, "run", name, *image, f"--overrides={override}", "--port=8080", "--command", *serve)
    _kubectl(server, "expose", "pod", "web")
    _kubectl(server, "wait", "--for=condition=Ready", "pod/web", "pod/client", "--timeout=180s")
    address = _kubectl(server, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    fetch = ["exec", "client", "--", "wget", "-q", "-O", "-", f"http://{address}:8080/"]
    _until(lambda: "across" in server.run(["kubectl", *fetch], check=False).stdout, "the service")
    _kubectl(server, "delete", "pod", "web", "client", "--now")


def test_a_second_server_is_an_etcd_member_as_long_as_its_node_is_there(
    lab: Laboratory, server: Machine, full_token: str
) -> None:
    second = lab.machine("server-2")
    joining = f"server: https://{server.address}:6443\ntoken: {full_token}\nnode-name: second\n"
    second.write(_CONFIG, joining + "flannel-backend: vxlan\n", mode=0o600)
    assert "failed" in _install(lab, second, check=False)
    assert "flannel-backend" in second.run(["journalctl", "-u", "k3s", "--no-pager"]).stdout
    second.run(["systemctl", "stop", "k3s"])
    second.write(_CONFIG, joining + _COMMON, mode=0o600)
    second.run(["systemctl", "restart", "k3s"])
    _until(lambda: _is_ready(server, "second"), "the second server")
    assert _members(server) == 2
    second.reboot()
    _until(
        lambda: second.run(["kubectl", "get", "nodes"], check=False).returncode == 0,
        "the second server again",
    )
    # while the second was off there was no quorum, so the first may be starting anew too; and a kubelet that
    # is starting makes its node again
    delete = ["kubectl", "delete", "node", "second", "--ignore-not-found"]
    _until(
        lambda: server.run(delete, check=False).returncode == 0 and _members(server) == 1,
        "etcd to lose the member",
        seconds=120,
    )
    second.run(["k3s-uninstall.sh"])
    _kubectl(server, "get", "nodes")
    _leaves_nothing(second)


def test_uninstalling_leaves_nothing(server: Machine) -> None:
    server.run(["k3s-uninstall.sh"])
    _leaves_nothing(server)


def _members(server: Machine) -> int:
    tls = "/var/lib/rancher/k3s/server/tls/etcd"
    keys = ["--cacert", f"{tls}/server-ca.crt", "--cert", f"{tls}/client.crt", "--key", f"{tls}/client.key"]
    asked = server.run(
        ["curl", "-s", *keys, "-d", "{}", "https://127.0.0.1:2379/v3/cluster/member/list"], check=False
    )
    return len(
        [one for one in json.loads(asked.stdout or "{}").get("members", []) if not one.get("isLearner")]
    )


def _leaves_nothing(machine: Machine) -> None:
    for path in (
        "/usr/local/bin/k3s",
        "/etc/rancher/k3s",
        "/var/lib/rancher/k3s",
        "/var/lib/kubelet",
        "/run/k3s",
    ):
        assert not machine.exists(path), path
    assert machine.run(["sh", "-c", "cat /etc/systemd/system/k3s* || :"]).stdout == ""
    assert "k3s" not in machine.run(["ps", "-eo", "args"]).stdout
    assert "KUBE-" not in machine.run(["iptables-save"]).stdout
