"""Who listens on a port of this machine."""

import os
import socket

from scheduler_k3s.tools import listeners


def test_our_own_sockets_of_both_families() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::", 0), family=socket.AF_INET6) as six,
    ):
        ports = [four.getsockname()[1], six.getsockname()[1]]
        found = listeners.holders(ports)
        with open("/proc/self/comm", encoding="utf-8") as file:
            holder = f"{file.read().strip()} (process {os.getpid()})"
        assert found == dict.fromkeys(ports, holder)


def test_ports_that_nobody_listens_on() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert listeners.holders([bound.getsockname()[1]]) == {}
