"""Sysctls of nodes: what may be set, and what each scope's nodes get."""

import pytest
from scheduler_k3s import sysctls
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vm.max_map_count", "262144"),
        ("kernel.sched_rt_runtime_us", "-1"),
        ("fs.file-max", "100"),
        ("dev.cdrom.info2", "a b"),
        ("kernel.printk", "4\t4 1 7"),
        ("kernel.core_pattern", "|/usr/lib/systemd/systemd-coredump %P %u"),
    ],
)
def test_accepted(name: str, value: str) -> None:
    sysctls.check(name, value)


@pytest.mark.parametrize(
    "name",
    [
        "vm",
        "",
        ".a",
        "a.",
        "a..b",
        "Vm.x",
        "vm/x",
        "vm.x y",
        "vm.x;id",
        "vm.$(id)",
        "vm.-x",
        "a." * 130 + "a",
    ],
)
def test_refused_names(name: str) -> None:
    with pytest.raises(PluginError, match=r"^Invalid sysctl name: .*for example vm.max_map_count$"):
        sysctls.check(name, "1")


@pytest.mark.parametrize(
    "name", ["net.core.somaxconn", "kernel.shmmax", "kernel.msgmax", "kernel.sem", "fs.mqueue.x"]
)
def test_sysctls_of_pods_are_not_the_nodes(name: str) -> None:
    with pytest.raises(PluginError, match=rf"docker-options:add APP deploy '--sysctl {name}=VALUE'$"):
        sysctls.check(name, "1")


@pytest.mark.parametrize(
    "value", ['1"', "1'", "`id`", "$(id)", "a\nb", "1;2", "a\\b", " ", "é", "1&2", "a=b"]
)
def test_refused_values(value: str) -> None:
    with pytest.raises(PluginError, match=r"^Invalid value of vm\.x: "):
        sysctls.check("vm.x", value)


def test_a_profile_lies_over_the_global_values(dokku: Host) -> None:
    dokku.store("--global", "node-profile-big.json", "{}")
    dokku.store("--global", "node-profile-empty.json", "{}")
    dokku.store("--global", "node-sysctls.global", '{"vm.a":"1","vm.b":"2"}')
    dokku.store("--global", "node-sysctls.profile.big", '{"vm.b":"3"}')
    dokku.store("--global", "node-sysctls.profile.gone", '{"vm.b":"4"}')
    assert sysctls.resolved() == {
        "": {"vm.a": "1", "vm.b": "2"},
        "big": {"vm.a": "1", "vm.b": "3"},
        "empty": {"vm.a": "1", "vm.b": "2"},
    }


def test_what_is_stored_against_the_rules_can_be_removed(dokku: Host) -> None:
    path = dokku.store("--global", "node-sysctls.global", '{"net.a b":"1"}')
    sysctls.change("", "net.a b", "")
    assert path.read_text() == "{}"
