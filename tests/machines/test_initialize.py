"""A dokku host becomes a cluster, however often that is broken off, serves an app, and is a host without k3s again."""

import json
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import charts, images
from rig.charts.repository import Repository
from rig.machines.dokku_host import DokkuHost
from rig.machines.laboratory import Laboratory
from rig.machines.model import NEWEST

TOKEN = "canary" + secrets.token_hex(16)
SMALL = "longhorn,keda,keda-add-ons-http,vector"
ALL_BUT_TRAEFIK = f"cert-manager,ingress-nginx,{SMALL}"
OPENRC = "/sbin/openrc-run"
STORE = "/var/lib/dokku/config/scheduler-k3s/--global"
TRAEFIK = {
    "logs": {"access": {"enabled": True, "format": "json"}},
    "podAnnotations": {"prometheus.io/port": "8082", "prometheus.io/scrape": "true"},
    "providers": {
        "kubernetesCRD": {"enabled": True, "allowCrossNamespace": True},
        "kubernetesIngress": {"publishedService": {"enabled": True}},
    },
    "priorityClassName": "system-cluster-critical",
    "tolerations": [
        {"key": "CriticalAddonsOnly", "operator": "Exists"},
        {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "node-role.kubernetes.io/master", "operator": "Exists", "effect": "NoSchedule"},
    ],
    "service": {"ipFamilyPolicy": "PreferDualStack"},
}
BROKEN_SOURCE = "/etc/apt/sources.list.d/broken.list"


@pytest.fixture(scope="module")
def repository(lab: Laboratory) -> Iterator[Repository]:
    with charts.serve(address=lab.place.gateway) as served:
        yield served


@pytest.fixture(scope="module")
def host(lab: Laboratory, repository: Repository) -> DokkuHost:
    made = lab.dokku()
    made.run(["systemctl", "stop", "nginx"])
    for name in ("kubectx", "kubens"):
        lab.servers.pages[f"/{name}"] = lambda: b"#!/bin/sh\n"
    made.dokku("config:set", "--global", "--no-restart", f"DOKKU_SCHEDULER_K3S_KUBECTX_URL={lab.servers.url}")
    made.dokku("scheduler-k3s:set", "--global", "chart-repository-url", repository.url)
    # as a command it would stand in sudo's log
    made.write(f"{STORE}/token", TOKEN, mode=0o600, owner="dokku")
    made.dokku("scheduler-k3s:set", "--global", "letsencrypt-email-prod", "admin@example.com", check=False)
    return made


def initialize(host: DokkuHost, *words: str) -> str:
    """All that it said, with its exit code at the end."""
    done = host.dokku("scheduler-k3s:initialize", *words, check=False)
    return f"{done.stdout}{done.stderr}exit {done.returncode}\n"


def until(host: DokkuHost, sign: str, *words: str) -> str:
    """What a run said until it came to `sign`; it is left running."""
    process = host.popen(["dokku", "--trace", "scheduler-k3s:initialize", *words])
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if sign in line:
            host.interrupt(process)
            said += process.stdout.read()
            break
    process.wait(60)
    return said


class Watch:
    """Notes whether a word is on the command line of any process, as long as it is used."""

    def __init__(self, *words: str) -> None:
        self.words = [word.encode() for word in words]
        self.found: set[bytes] = set()
        self.seen = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        own = os.getpid()
        while not self._over.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    words = b"" if int(process.name) == own else (process / "cmdline").read_bytes()
                except OSError:
                    continue
                self.seen += b"k3s-installer.sh" in words
                self.found |= {word for word in self.words if word in words}


def test_broken_at_each_step_and_repeated(lab: Laboratory, host: DokkuHost, repository: Repository) -> None:
    words = ("--without", SMALL)
    repeat = f"To go on, repeat: dokku scheduler-k3s:initialize --without {SMALL}\nexit 1\n"

    host.write(OPENRC, "")
    said = initialize(host, *words)
    host.run(["rm", OPENRC])
    assert said.endswith(" installer prefers it to systemd. Remove it: apt-get purge openrc\nexit 1\n")
    assert not host.exists(f"{STORE}/initialize-unfinished")

    host.write(BROKEN_SOURCE, "deb [trusted=yes] file:/nowhere ./\n")
    said = initialize(host, *words)
    assert " !     Unable to call apt-get update command: apt-get failed with exit code 100: " in said
    assert f"Stopped at: the Debian packages. What is done is kept. {repeat}" in said
    host.run(["rm", BROKEN_SOURCE])

    lab.servers.faults["/install.sh"] = "redirect"
    said = initialize(host, *words)
    assert "which is not https" in said
    assert f"Stopped at: k3s. What is done is kept. {repeat}" in said
    lab.servers.faults = {f"/{NEWEST}/k3s": "wrong"}
    said = initialize(host, *words)
    assert f"/{NEWEST}/k3s has the sha256 digest " in said
    assert not host.exists("/usr/local/bin/k3s")
    lab.servers.faults.clear()
    node = host.read(f"{STORE}/node-name")
    agent_token = host.read(f"{STORE}/agent-token")

    with Watch(TOKEN, agent_token) as watch:
        said = until(host, "systemd: Starting k3s", *words)
        assert " !     initialize was cancelled\n !     Stopped at: k3s." in said
        repository.break_("cert-manager-v1.13.3.tgz", "truncated")
        said += initialize(host, *words)
        assert f"Stopped at: the system charts. What is done is kept. {repeat}" in said, said[-3000:]
        repository.break_("cert-manager-v1.13.3.tgz", "")
    assert watch.seen
    assert not watch.found
    assert TOKEN not in said
    assert agent_token not in said

    process = host.popen(["dokku", "scheduler-k3s:initialize", *words])
    assert process.stdout
    for line in process.stdout:
        if "Processing chart ingress-nginx" in line:
            break
    host.power_off()
    process.wait(60)
    host.boot()

    said = initialize(host, *words)
    assert "=====> Applying cluster issuers\n" in said
    assert "         dokku scheduler:set --global selected k3s\n       Done\n" in said
    assert said.endswith("exit 0\n"), said[-3000:]
    assert host.read(f"{STORE}/node-name") == node
    assert initialize(host, *words) == " !     k3s already installed, cannot re-initialize k3s\nexit 1\n"


def test_what_initialize_has_made(host: DokkuHost) -> None:
    nodes = json.loads(host.run(["kubectl", "get", "nodes", "--output", "json"]).stdout)["items"]
    assert [node["metadata"]["name"] for node in nodes] == [host.read(f"{STORE}/node-name")]
    assert nodes[0]["metadata"]["labels"]["svccontroller.k3s.cattle.io/enablelb"] == "true"
    assert nodes[0]["status"]["addresses"][0] == {"type": "InternalIP", "address": host.address}
    assert "dokku.com/node-profile" not in nodes[0]["metadata"]["labels"]
    releases = host.run(
        ["helm", "list", "--all-namespaces", "--short", "--kubeconfig", "/etc/rancher/k3s/k3s.yaml"]
    )
    assert sorted(releases.stdout.split()) == ["cert-manager", "cluster-issuers", "ingress-nginx"]
    assert host.run(["kubectl", "get", "clusterissuer", "letsencrypt-prod"]).returncode == 0
    for path in ("/usr/local/bin/kubectx", "/usr/local/bin/kubens", "/usr/local/bin/helm"):
        assert host.run(["test", "-x", path], user="dokku").returncode == 0


def test_secrets_are_roots_and_dokkus(host: DokkuHost) -> None:
    """What an ordinary user of the host can read, and the journal, hold neither token nor kubeconfig."""
    places = ["/etc", "/var", "/run", "/tmp", "/usr/local", "/opt", "/home", "/root", "/srv"]
    key = host.read("/etc/rancher/k3s/k3s.yaml").partition("client-key-data: ")[2][:100]
    assert len(key) == 100
    for secret in (TOKEN, host.read(f"{STORE}/agent-token"), key):
        search = [
            "timeout",
            "60",
            "grep",
            "--recursive",
            "--files-with-matches",
            "--devices=skip",
            secret,
            *places,
        ]
        assert host.run(search, user="admin", check=False).stdout == ""
    assert TOKEN not in host.run(["journalctl", "--no-pager"]).stdout
    assert host.run(["stat", "-c", "%a %U %G", "/etc/rancher/k3s/k3s.yaml"]).stdout == "640 root dokku\n"
    assert host.run(["stat", "-c", "%a %U %G", "/etc/rancher/k3s/config.yaml"]).stdout == "600 root root\n"
    kubectl = [
        "/opt/dokku-scheduler-k3s/bin/kubectl",
        "--kubeconfig=/etc/rancher/k3s/k3s.yaml",
        "get",
        "nodes",
    ]
    assert host.run(kubectl, user="dokku").returncode == 0
    assert (
        host.run(["sudo", "-n", "/usr/local/sbin/dokku-k3s-registries", "read"], user="dokku").returncode == 0
    )
    assert host.run(["sudo", "-n", "id"], user="dokku", check=False).returncode == 1


def test_an_app_is_deployed_there(host: DokkuHost) -> None:
    host.dokku("scheduler:set", "--global", "selected", "k3s")
    host.dokku("proxy:set", "--global", "k3s")
    host.dokku("registry:set", "--global", "push-on-release", "true")
    host.dokku("apps:create", "first")
    host.dokku("git:from-image", "first", images.sample("first", greeting="from a cluster of its own"))
    address = host.run(
        ["kubectl", "get", "service", "first-web", "--output", "jsonpath={.spec.clusterIP}"]
    ).stdout
    assert "from a cluster of its own" in host.run(["curl", "-fsS", f"http://{address}/"]).stdout


def test_uninstalled_and_made_again_another_way(host: DokkuHost) -> None:
    said = host.dokku("scheduler-k3s:uninstall")
    assert "-----> Uninstalling k3s\n" in said.stdout
    assert "       What stays: dokku's properties (the token too)" in said.stdout
    for path in ("bin/k3s", "bin/kubectx", "bin/kubens", "sbin/dokku-k3s-registries"):
        assert not host.exists(f"/usr/local/{path}")
    assert not host.exists("/etc/sudoers.d/dokku-k3s-registries")
    assert not host.exists("/etc/rancher/k3s")
    assert host.run(["systemctl", "is-active", "k3s"], check=False).stdout == "inactive\n"
    assert host.read(f"{STORE}/token") == TOKEN
    stopped = host.dokku("ps:stop", "first")
    assert " !     k3s is not installed, skipping" in stopped.stderr
    destroyed = host.dokku("--force", "apps:destroy", "first")
    assert " !     k3s is not installed, skipping" in destroyed.stderr

    arguments = "eviction-hard=memory.available<50Mi,nodefs.available<1%,max-pods=42"
    said_now = initialize(
        host,
        "--ingress-class",
        "traefik",
        "--taint-scheduling",
        "--kubelet-args",
        arguments,
        "--without",
        ALL_BUT_TRAEFIK,
    )
    assert said_now.endswith("exit 0\n"), said_now
    node = json.loads(host.run(["kubectl", "get", "nodes", "--output", "json"]).stdout)["items"][0]
    assert [(taint["key"], taint["effect"]) for taint in node["spec"]["taints"]] == [
        ("CriticalAddonsOnly", "NoSchedule")
    ]
    assert node["status"]["capacity"]["pods"] == "42"


def test_traefik_is_there_with_its_values_and_its_kinds(host: DokkuHost) -> None:
    """Its pods run on the tainted server; an app's routes are what its definitions say."""
    helm = ["helm", "--kubeconfig", "/etc/rancher/k3s/k3s.yaml"]
    releases = json.loads(host.run([*helm, "list", "--all-namespaces", "--output", "json"]).stdout)
    found = [(item["name"], item["namespace"], item["chart"], item["status"]) for item in releases]
    assert found == [("traefik", "traefik", "traefik-26.0.0", "deployed")]
    values = host.run([*helm, "get", "values", "traefik", "--namespace", "traefik", "--output", "json"])
    assert json.loads(values.stdout) == TRAEFIK
    ready = "jsonpath={.status.readyReplicas}"
    pods = host.run(["kubectl", "get", "deployment/traefik", "--namespace", "traefik", "--output", ready])
    assert pods.stdout == "1"

    host.run(["kubectl", "taint", "nodes", "--all", "CriticalAddonsOnly-"])
    host.dokku("apps:create", "routed")
    host.dokku("domains:set", "routed", "routed.example.com")
    host.dokku("scheduler-k3s:set", "routed", "letsencrypt-server", "false")
    host.dokku("git:from-image", "routed", images.sample("routed"))
    kinds = "ingressroutes.traefik.io,middlewares.traefik.io"
    routes = json.loads(host.run(["kubectl", "get", kinds, "--output", "json"]).stdout)["items"]
    matches = [rule["match"] for item in routes for rule in item["spec"].get("routes", ())]
    assert [item["kind"] for item in routes] == ["IngressRoute", "Middleware", "Middleware"]
    assert matches == ["Host(`routed.example.com`)"]


def test_half_an_installation_is_uninstalled_too(host: DokkuHost) -> None:
    host.run(["rm", "/etc/rancher/k3s/k3s.yaml"])
    host.dokku("scheduler-k3s:uninstall", "--force")
    assert not host.exists("/usr/local/bin/k3s")
    refused = host.dokku("scheduler-k3s:uninstall", check=False)
    assert (refused.returncode, refused.stderr) == (
        1,
        " !     k3s not installed, cannot uninstall: k3s binary is not available\n",
    )
