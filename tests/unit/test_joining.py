"""What a host says of itself, and which hosts may join."""

import subprocess
from pathlib import Path

import pytest
from scheduler_k3s import joining, k3s_config
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

OURS, OTHER = "a" * 64, "b" * 64
FRESH = "distribution=debian \nmachine=x86_64\nclock=1000\nnode=worker-1\nsystemd=yes\nsource=10.0.0.6\n"
UNIT = """ExecStart=/usr/local/bin/k3s \\
    server \\
\t'--node-name' \\
\t'ip-b-1' \\
\t'--token' \\
\t'canary' \\
"""
MARKED = f"config={k3s_config.MARK}"


def refusal(text: str, role: str = "worker") -> str:
    with pytest.raises(PluginError) as raised:
        joining.check(joining.read(text), "10.0.0.6", role, OURS)
    assert raised.value.message.startswith("Unable to join 10.0.0.6: ")
    return raised.value.message


@pytest.mark.parametrize(
    ("text", "role"),
    [
        (FRESH, "worker"),
        (FRESH.replace("debian", "linuxmint ubuntu debian"), "server"),
        (FRESH + "port=6443 nginx (process 3)\n", "worker"),
        (FRESH + f"{MARKED}node=ip-a\n", "server"),
        (FRESH + f"{MARKED}unit=k3s-agent\nauthority={OURS}\nport=10250 k3s-agent (process 3)\n", "worker"),
        (FRESH + f"unit=k3s\nauthority={OURS}\n", "worker"),
    ],
)
def test_who_may_join(text: str, role: str) -> None:
    joining.check(joining.read(text), "10.0.0.6", role, OURS)


@pytest.mark.parametrize(
    ("text", "role", "why"),
    [
        (FRESH.replace("debian", "fedora"), "worker", "its distribution is fedora: only Debian"),
        (FRESH.replace("systemd=yes\n", ""), "worker", "k3s needs systemd, which is not running"),
        (FRESH + "openrc=yes\n", "server", "apt-get purge openrc"),
        (FRESH + "port=10250 kubelet (process 7)\n", "worker", "are taken: 10250 by kubelet (process 7)"),
        (FRESH + "port=6443 nginx (process 7)\n", "server", "are taken: 6443 by nginx (process 7)"),
        (FRESH + f"unit=k3s\nauthority={OTHER}\n", "worker", f"another cluster (CA {OTHER[:16]}). If"),
        (FRESH + f"{MARKED}unit=k3s-agent\nauthority={OURS}\nauthority={OTHER}\n", "worker", "in another cluster"),
        (FRESH + "unit=k3s-agent\n", "worker", "sudo /usr/local/bin/k3s-agent-uninstall.sh"),
        (FRESH + "config=disable: x\n", "worker", "settings of k3s that are not ours"),
        (FRESH + f"{MARKED}unit=k3s-agent\nauthority={OURS}\n", "server", "another kind of node than server"),
    ],
)  # fmt: skip
def test_who_may_not(text: str, role: str, why: str) -> None:
    assert why in refusal(text, role)


def test_all_that_is_wrong_is_said_at_once() -> None:
    message = refusal("")
    assert "distribution is unknown" in message
    assert "k3s needs systemd" in message


@pytest.mark.parametrize(
    ("now", "said"),
    [(1059.0, ""), (400.0, "600 seconds ahead of"), (2000.5, "1000 seconds behind")],
)
def test_clocks(now: float, said: str) -> None:
    warning = joining.clock_warning(joining.read(FRESH), "10.0.0.6", now)
    assert said in warning
    assert bool(said) == bool(warning)


def test_the_script_on_this_machine() -> None:
    """Whatever this machine is, it is read without an error, and its own address reaches itself."""
    done = subprocess.run(
        ["sh", "-c", joining.SCRIPT, "sh", "127.0.0.1"], capture_output=True, text=True, check=True
    )
    host = joining.read(done.stdout)
    assert done.stderr == ""
    assert (host.source, host.interface) == ("127.0.0.1", "lo")
    assert (
        host.machine
        == subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    )
    assert host.clock > 1_700_000_000


def test_the_script_sees_what_starts_services(tmp_path: Path) -> None:
    script = joining.SCRIPT.replace("/run/", f"{tmp_path}/run/").replace("/sbin/", f"{tmp_path}/sbin/")

    def found() -> tuple[bool, bool]:
        done = subprocess.run(["sh", "-c", script, "sh", "::1"], capture_output=True, text=True, check=True)
        host = joining.read(done.stdout)
        return host.has_systemd, host.has_openrc

    assert found() == (False, False)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert found() == (True, False)
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/openrc-run").touch()
    assert found() == (True, True)


def test_the_script_reads_what_k3s_left(tmp_path: Path) -> None:
    """Ours, and a unit file as the installer writes it for `--node-name NAME` of the earlier scheduler."""
    token = k3s_config.join_token("PEM", Secret("canary"))
    config = k3s_config.render(k3s_config.agent(k3s_config.Node("ip-a"), "https://10.0.0.5:6443", token))
    files = {
        "/etc/rancher/k3s/config.yaml": config.reveal(),
        "/etc/systemd/system/k3s.service": UNIT,
        "/var/lib/rancher/k3s/agent/server-ca.crt": "PEM",
    }  # fmt: skip
    script = joining.SCRIPT.replace("/etc/rancher", f"{tmp_path}/etc/rancher")
    script = script.replace("/etc/systemd", f"{tmp_path}/etc/systemd").replace(
        "/var/lib", f"{tmp_path}/var/lib"
    )
    for name, text in files.items():
        path = Path(f"{tmp_path}{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run() -> joining.Host:
        done = subprocess.run(["sh", "-c", script, "sh", "::1"], capture_output=True, text=True, check=True)
        assert "canary" not in done.stdout
        return joining.read(done.stdout)

    host = run()
    assert (host.unit, host.node, host.authority) == ("k3s", "ip-a", k3s_config.digest("PEM"))
    assert host.is_configured_by_us
    (tmp_path / "etc/rancher/k3s/config.yaml").unlink()
    host = run()
    assert (host.node, host.authority, host.is_configured_by_us) == (
        "ip-b-1",
        k3s_config.digest("PEM"),
        False,
    )
    (tmp_path / "etc/systemd/system/k3s.service").unlink()
    (tmp_path / "var/lib/rancher/k3s/agent/server-ca.crt").unlink()
    assert not run().has_k3s
