"""The ports of a process: which are kept, which are added, which one is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s.app import App, Image, Port, Process, primary, primary_port_name, web_ports


def ports(*texts: str) -> tuple[Port, ...]:
    """From dokku's spelling, `http:80:5000`."""
    words = [text.split(":") for text in texts]
    return tuple(Port(scheme, int(host), int(container)) for scheme, host, container in words)


def names(*texts: str, tls: bool = False) -> list[str]:
    return [port.name for port in web_ports(ports(*texts), tls)]


def test_plain_http_stays_alone() -> None:
    assert names("http:80:5000") == ["http-80-5000"]


def test_tls_adds_the_https_twin() -> None:
    assert names("http:80:5000", tls=True) == ["http-80-5000", "https-443-5000"]
    assert names("http:8080:5000", tls=True) == ["http-8080-5000", "https-443-5000"]


def test_https_adds_the_http_twin_with_and_without_tls() -> None:
    assert names("https:443:5000") == ["http-80-5000", "https-443-5000"]
    assert names("https:443:5000", tls=True) == ["http-80-5000", "https-443-5000"]


def test_twins_that_are_there_are_not_doubled() -> None:
    assert names("http:80:5000", "https:443:5000", tls=True) == ["http-80-5000", "https-443-5000"]


def test_a_service_has_each_port_once() -> None:
    """Two http maps would otherwise both get a twin on 443, and the API server refuses the Service."""
    assert names("http:80:5000", "http:8080:6000", tls=True) == [
        "http-80-5000",
        "http-8080-6000",
        "https-443-5000",
    ]
    assert names("https:443:5000", "http:80:6000", tls=True) == ["http-80-6000", "https-443-5000"]


def test_other_schemes_are_left_out_unless_the_container_listens_on_80_or_443() -> None:
    assert names("http:80:5000", "tcp:25:25", "grpc:50051:50051") == ["http-80-5000"]
    assert names("tcp:8080:80", "udp:443:443") == ["tcp-8080-80", "udp-443-443"]
    assert names("tcp:25:25") == []


def test_order_is_that_of_names() -> None:
    assert names("http:8080:5000", "http:80:5000", "https:8443:5000") == [
        "http-80-5000",
        "http-8080-5000",
        "https-8443-5000",
    ]


SCHEMES = st.sampled_from(["http", "https", "tcp", "udp", "grpc"])
NUMBERS = st.sampled_from([0, 80, 443, 5000, 8080, 8443])
MAPS = st.lists(st.builds(Port, SCHEMES, NUMBERS, NUMBERS), unique_by=lambda port: port.host)


@given(MAPS, st.booleans())
def test_no_port_is_there_twice_if_dokku_has_none_twice(maps: list[Port], tls: bool) -> None:
    made = web_ports(maps, tls)
    assert len({port.host for port in made}) == len(made)
    assert list(made) == sorted(made, key=lambda port: port.name)
    assert {port for port in maps if port.scheme in ("http", "https")} <= set(made)


def test_the_primary_port_is_dokku_s_first_with_a_container_port() -> None:
    assert primary(ports("http:8080:6000", "http:80:5000")) == Port("http", 8080, 6000)
    assert primary(ports("http:80:0", "http:81:7000")) == Port("http", 81, 7000)
    assert primary(()) == Port("http", 80, 5000)
    assert primary(ports("http:80:0")) == Port("http", 80, 5000)


@pytest.mark.parametrize(
    ("maps", "name"),
    [
        (["http:80:5000", "https:443:5000"], "https-443-5000"),
        (["http:80:5000", "https:8443:6000"], "http-80-5000"),
        (["http:80:5000", "http:80:6000"], "http-80-6000"),
        (["http:8080:5000", "https:8443:5000"], "https-8443-5000"),
        (["http:8080:5000", "tcp:25:80"], "http-8080-5000"),
        (["tcp:25:80", "udp:53:443"], "tcp-25-80"),
    ],
)
def test_an_ingress_routes_to_the_first_of_443_80_https_http(maps: list[str], name: str) -> None:
    assert primary_port_name(sorted(ports(*maps), key=lambda port: port.name)) == name


def test_protocols() -> None:
    assert [port.protocol for port in ports("http:80:1", "tcp:80:1", "udp:80:1")] == ["TCP", "TCP", "UDP"]


def test_processes_are_found_by_type() -> None:
    web = Process("web", 1, "1")
    app = App("shop", "default", "1", Image("x"), [web, Process("worker", 1, "1")])
    assert app.process("web") is web
    assert app.process("clock") is None
