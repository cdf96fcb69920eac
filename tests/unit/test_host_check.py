"""Which hosts may become a cluster, and what they are told."""

import pytest
from scheduler_k3s import host_check
from scheduler_k3s.errors import PluginError
from scheduler_k3s.host_check import Facts

GOOD = Facts()
ALL = host_check.selected("nginx", [])


def test_a_good_host_hears_nothing() -> None:
    assert host_check.problems(GOOD) == []
    assert host_check.warnings(GOOD, ALL) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"machine": "riscv64"}, "No helm and kubectl for a riscv64 machine"),
        ({"has_apt": False, "system": "Fedora Linux 40"}, "Fedora Linux 40 has no apt-get"),
        ({"has_systemd": False}, "k3s needs systemd, which is not running"),
        ({"has_openrc": True}, "apt-get purge openrc"),
        ({"memory": 500}, "k3s needs 2048 MiB of memory, this host has 500 MiB"),
        (
            {"holders": {6443: "java (process 9)"}},
            "k3s needs port 6443, held by java (process 9). Stop that first",
        ),
        (
            {"holders": dict.fromkeys((2379, 2380, 10250), "etcd (process 9)")},
            "k3s needs port 2379, 2380 and 10250, held by etcd (process 9)",
        ),
        ({"older": "data"}, "mv /var/lib/rancher{,.old}"),
        ({"older": "k3s"}, "dokku scheduler-k3s:uninstall"),
        ({"older": "agent"}, "/usr/local/bin/k3s-agent-uninstall.sh"),
        ({"has_foreign_config": True}, "/etc/rancher/k3s/config.yaml was not written by dokku"),
        ({"kubeconfig": "/etc/other"}, "kubeconfig-path is /etc/other, of another cluster"),
        ({"context": "prod"}, "kube-context is prod"),
        ({"has_cgroup_v2": False, "k3s_version": "v1.35.0+k3s1"}, "k3s v1.35.0+k3s1 needs cgroup v2"),
        ({"has_cgroup_v2": False, "k3s_version": "v2.0.0+k3s1"}, "k3s v2.0.0+k3s1 needs cgroup v2"),
    ],
)
def test_each_problem_is_named_with_what_mends_it(change: dict[str, object], text: str) -> None:
    found = host_check.problems(GOOD._replace(**change))  # type: ignore[arg-type]
    assert len(found) == 1
    assert text in found[0]


def test_all_that_is_wrong_is_said_at_once() -> None:
    bad = GOOD._replace(has_apt=False, has_systemd=False, holders={6443: "a", 2379: "b"})
    assert len(host_check.problems(bad)) == 4


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"cores": 1}, "This host has 1 cores and 4000 MiB of memory, k3s asks for 2 and 2048 MiB"),
        ({"memory": 2000}, "--without longhorn,keda,keda-add-ons-http,vector"),
        ({"has_wireguard": False}, "modprobe wireguard"),
        ({"has_cgroup_v2": False}, "set --global k3s-version v1.34.4+k3s1"),
        ({"holders": {80: "nginx (process 7)", 443: "nginx (process 7)"}}, "Stop it with: dokku nginx:stop"),
        (
            {"holders": {443: "haproxy (process 7)"}},
            "held by haproxy (process 7): the cluster's load balancer",
        ),
    ],
)
def test_what_does_not_keep_a_cluster_from_being_made(change: dict[str, object], text: str) -> None:
    facts = GOOD._replace(**change)  # type: ignore[arg-type]
    assert host_check.problems(facts) == []
    found = host_check.warnings(facts, ALL)
    assert len(found) == 1
    assert text in found[0]


def test_a_choice_of_charts_answers_the_lack_of_memory() -> None:
    assert host_check.warnings(GOOD._replace(memory=2000), ["cert-manager"]) == []


@pytest.mark.parametrize("version", ["v1.34.4+k3s1", "latest", "v1.x.y"])
def test_an_older_or_unknown_k3s_takes_cgroup_v1(version: str) -> None:
    facts = GOOD._replace(has_cgroup_v2=False, k3s_version=version)
    assert host_check.problems(facts) == host_check.warnings(facts, ALL) == []


def test_the_charts_of_each_ingress_class() -> None:
    nginx = ["cert-manager", "longhorn", "ingress-nginx", "keda", "keda-add-ons-http", "vector"]
    assert nginx == ALL
    assert host_check.selected("traefik", ["longhorn", "vector"]) == [
        "cert-manager",
        "traefik",
        "keda",
        "keda-add-ons-http",
    ]


@pytest.mark.parametrize("name", ["", "Nginx", "haproxy", "nginx "])
def test_ingress_classes(name: str) -> None:
    with pytest.raises(PluginError, match=rf"^Invalid ingress-class: {name}$"):
        host_check.check_ingress_class(name)
    for known in ("nginx", "traefik"):
        host_check.check_ingress_class(known)
