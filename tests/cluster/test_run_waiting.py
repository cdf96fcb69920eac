"""A one-off process whose image takes long: what is waited for is said, and it is waited for."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rig import images, target
from rig.host import Host

from .apps import app
from .oneoffs import ended, start

pytestmark = pytest.mark.cluster
SECONDS = 8.0


@contextmanager
def slow_registry(is_slow: threading.Event) -> Iterator[str]:
    """The registry's address with a way to it that holds up requests for manifests."""
    host, _, port = target.REGISTRY.rpartition(":")
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if is_slow.is_set() and b"/manifests/" in data:
                    time.sleep(SECONDS)
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def accept() -> None:
        while True:
            try:
                ours = listener.accept()[0]
                theirs = socket.create_connection((host, int(port)))
            except OSError:
                return
            for ends in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.mark.skipif(target.IS_EXISTING, reason="its nodes cannot reach a registry on this machine's loopback")
def test_a_pull_is_waited_for_and_said(host: Host) -> None:
    is_slow = threading.Event()
    with slow_registry(is_slow) as registry, app(host, "slowpull", scale="web=0") as name:
        host.dokku("registry:set", name, "server", registry)
        host.dokku("git:from-image", name, images.sample())
        is_slow.set()
        code, output, errors = ended(start(host, "run", name, "sh", "-c", "echo there; exit 3"))
        assert (code, output) == (3, b"there\n")
        first, *rest = errors.decode().splitlines()
        assert first.startswith(f"       Waiting for pod {name}-run-")
        assert "pulling" in errors.decode()
        assert len(rest) < 3
