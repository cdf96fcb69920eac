"""Which address of a host its cluster is reached at."""

import json
import subprocess
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import server_address
from unit.dokku_host import Host

HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host with `ip` and a routing table of the test's own."""
    links = {"lo": ["127.0.0.1"], "ens3": ["10.0.0.4", "10.0.0.5"], "wg0": ["10.9.0.1"], "tap0": []}
    found = [
        {"ifname": name, "addr_info": [{"local": each} for each in each_of]}
        for name, each_of in links.items()
    ]
    program = tmp_path / "ip"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(found)}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    routes = tmp_path / "route"
    routes.write_text(
        HEADER + "wg0\t00000000\t00000000\t0003\t0\t0\t50\t00000000\t0\t0\t0\n"
        "ens3\t00000000\t0100000A\t0003\t0\t0\t10\t00000000\t0\t0\t0\n"
        "tap0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n"
    )
    monkeypatch.setattr(server_address, "ROUTES", str(routes))
    return routes


def test_the_interface_that_is_set(dokku: Host, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dokku.store("--global", "network-interface", "wg0")
    assert server_address.find() == ("10.9.0.1", "wg0")
    assert capsys.readouterr().out == "       Using server ip address: 10.9.0.1\n"


def test_the_default_route_serves_where_eth0_does_not_exist(dokku: Host, network: Path) -> None:
    """The last of several addresses wins."""
    assert server_address.detect() == ("10.0.0.5", "ens3")


@pytest.mark.parametrize("name", ["eth7", "tap0"])
def test_an_interface_that_is_set_is_not_replaced_by_another(dokku: Host, network: Path, name: str) -> None:
    dokku.store("--global", "network-interface", name)
    with pytest.raises(PluginError) as error:
        server_address.detect()
    assert error.value.message.startswith(
        f"Unable to get server ip address: Unable to determine server ip address from network-interface {name}\n"
    )
    assert "ens3 10.0.0.4 10.0.0.5, wg0 10.9.0.1" in error.value.message


def test_no_default_route(dokku: Host, network: Path) -> None:
    network.write_text(HEADER)
    with pytest.raises(PluginError, match="from network-interface eth0\n"):
        server_address.detect()


def test_a_given_address(dokku: Host, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert server_address.find("10.0.0.4") == ("10.0.0.4", "ens3")
    assert server_address.find("127.0.0.1") == ("127.0.0.1", "")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("203.0.113.9", "no interface of this host has it. There are: 10.0.0.4, 10.0.0.5, 10.9.0.1"),
        ("fd00::1", "must be an IPv4 address"),
        ("-n", "must be an IPv4 address"),
        ("10.0.0.5; id", "must be an IPv4 address"),
    ],
)
def test_a_given_address_that_cannot_be(dokku: Host, network: Path, given: str, reason: str) -> None:
    with pytest.raises(PluginError) as error:
        server_address.find(given)
    assert error.value.message.startswith(f"Invalid server-ip: {given}, {reason}")


def test_this_host(dokku: Host) -> None:
    """The real programs are understood: loopback is always there, as this machine's only sure interface."""
    shown = subprocess.run(["ip", "-4", "-o", "address"], capture_output=True, text=True, check=True).stdout
    found = server_address.interfaces()
    assert "127.0.0.1" in found["lo"]
    assert sorted(name for name, each in found.items() if each) == sorted(
        {line.split()[1] for line in shown.splitlines()}
    )
