"""Docker options: what Kubernetes has too is translated, whatever else is set is named once, never its value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import docker_options
from scheduler_k3s.app import Security
from scheduler_k3s.errors import PluginError


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Security()),
        (["--cap-add SYS_PTRACE"], Security(added=("SYS_PTRACE",))),
        (["--cap-add=net_admin", "--cap-drop=all"], Security(("NET_ADMIN",), ("ALL",))),
        (["--cap-add CAP_SYS_TIME", "--cap-add cap_sys_time"], Security(("SYS_TIME",))),
        (["--cap-add 'NET_RAW' --cap-add MKNOD"], Security(("NET_RAW", "MKNOD"))),
        (["--privileged"], Security(privileged=True)),
        (["--privileged=true"], Security(privileged=True)),
        (["--privileged", "--privileged=false"], Security()),
        (["--sysctl net.core.somaxconn=1024"], Security(sysctls={"net.core.somaxconn": "1024"})),
        (
            ["--sysctl=kernel.sem='250 32000 100 128'", '--sysctl "net.ipv4.ip_local_port_range=1 9"'],
            Security(sysctls={"kernel.sem": "250 32000 100 128", "net.ipv4.ip_local_port_range": "1 9"}),
        ),
        (
            ["--sysctl kernel.shmmax=1", "--sysctl kernel.msgmax=2", "--sysctl fs.mqueue.msg_max=3"],
            Security(sysctls={"kernel.shmmax": "1", "kernel.msgmax": "2", "fs.mqueue.msg_max": "3"}),
        ),
        (["--sysctl net.a=1", "--sysctl net.a=2"], Security(sysctls={"net.a": "2"})),
        (["-v /a:/b", "--memory 512m", "--shm-size=1g", "--restart=always"], Security()),
    ],
)
def test_what_is_translated(lines: list[str], expected: Security) -> None:
    assert docker_options.security(lines) == expected


@pytest.mark.parametrize("name", ["vm.max_map_count", "kernel.pid_max", "fs.file-max", "kernel.semx", "net"])
def test_a_setting_of_the_node_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match=f"{name} is not namespaced") as raised:
        docker_options.security([f"--sysctl {name}=1"])
    assert "dokku scheduler-k3s:node-sysctls:set" in raised.value.message


@pytest.mark.parametrize("line", ["--cap-add", "--cap-drop=", "--sysctl", "--sysctl net.core.somaxconn"])
def test_an_option_without_its_value_is_refused(line: str) -> None:
    with pytest.raises(PluginError, match="has no value"):
        docker_options.security([line])


@pytest.mark.parametrize(
    ("line", "option", "instead"),
    [
        ("--shm-size 1g", "--shm-size", "dokku scheduler-k3s:set shop shm-size SIZE"),
        ("-v /a:/b", "-v", "dokku storage:mount shop NAME:/PATH"),
        ("-v/a:/b", "-v/a:/b", "dokku storage:mount shop NAME:/PATH"),
        ("--volume=/a:/b", "--volume", "dokku storage:mount shop NAME:/PATH"),
        ("--memory 1g", "--memory", "dokku resource:limit --memory N shop"),
        ("-m 1g", "-m", "dokku resource:limit --memory N shop"),
        ("--user 1000", "--user", ""),
        ("--restart=no", "--restart", ""),
        ("--stop-timeout=5", "--stop-timeout", "dokku ps:set shop stop-timeout-seconds SECONDS"),
        ("--privileged=perhaps", "--privileged", ""),
        ("--init", "--init", ""),
        ("stray", "stray", ""),
        ("--label 'unclosed", "--label", "dokku scheduler-k3s:labels:set shop KEY VALUE --resource-type pod"),
    ],
)
def test_what_is_not_translated_is_named(line: str, option: str, instead: str) -> None:
    (text,) = docker_options.warnings("shop", [line])
    assert text.startswith(f"Docker option {option} of shop has no effect")
    assert text.endswith(f"Use: {instead}" if instead else "no such option")


def test_each_option_is_named_once_and_values_are_not_shown() -> None:
    (text,) = docker_options.warnings("shop", ["-e TOKEN=hunter2", "-e OTHER=hunter2 -e X"])
    assert "-e of shop" in text
    assert "dokku config:set shop KEY=VALUE" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "line", ["--cap-add X", "--cap-drop X", "--privileged", "--sysctl net.a=1", "--restart=on-failure:10"]
)
def test_what_has_its_effect_is_not_named(line: str) -> None:
    assert docker_options.warnings("shop", [line]) == []


def test_options_of_one_process_have_no_effect_and_that_is_said() -> None:
    (text,) = docker_options.warnings("shop", ["--cap-add X"], "worker")
    assert "--cap-add of shop has no effect for process type worker alone" in text


@given(st.lists(st.text(max_size=20), max_size=4))
def test_whatever_is_stored_is_translated_refused_or_named(lines: list[str]) -> None:
    told = docker_options.warnings("shop", lines)
    try:
        found = docker_options.security(lines)
    except PluginError:
        return
    assert (
        told or found != Security() or not any(line.strip() for line in lines) or "--" not in "".join(lines)
    )
