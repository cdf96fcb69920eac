"""Attach and exec on a cluster before Kubernetes 1.30, whose API server hands WebSockets through to the node.

A current server does that too with a protocol that it does not know: a proxy in between renames the new one.
"""

import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from rig import images
from rig.cluster import Cluster
from rig.host import Host

from .oneoffs import assert_same, deployed, run
from .terminal import Terminal

pytestmark = pytest.mark.cluster
NEW, UNKNOWN = b"v5.channel.k8s.io", b"v9.channel.k8s.io"
# what the log brings lacks the carriage return in front of a newline
DATA = os.urandom(300_000).replace(b"\r\n", b"  ")


@contextmanager
def old_server(cluster: Cluster) -> Iterator[int]:
    """The port, on loopback and without TLS, of the API server as an older one; whoever asks is administrator."""
    known = cluster.api.configuration
    server = urlsplit(known.host)
    context = ssl.create_default_context(cafile=known.ssl_ca_cert)
    context.load_cert_chain(known.cert_file, known.key_file)
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data.replace(NEW, UNKNOWN))
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
            except OSError:
                return
            raw = socket.create_connection((server.hostname, server.port or 443))
            theirs = context.wrap_socket(raw, server_hostname=server.hostname)
            for ends in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()


def test_a_server_before_1_30_serves_pipes_and_terminals(host: Host, cluster: Cluster) -> None:
    with deployed(host, "old", images.sample()) as name, old_server(cluster) as port:
        config = host.prefix / "old-kubeconfig"
        named = {"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}"}}
        context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
        user = {"name": "x", "user": {}}
        document = {"clusters": [named], "contexts": [context], "users": [user], "current-context": "x"}
        config.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **document}))
        note = host.lib / "data/scheduler-k3s" / name / "deployed.json"
        note.write_text(
            json.dumps(json.loads(note.read_text()) | {"kubeconfig-path": str(config), "kube-context": "x"})
        )

        code, *streams = run(host, "run", name, "sh", "-c", "sleep 4; echo out; echo err >&2; exit 3")
        assert code == 3
        # where the connection comes late, on a loaded machine, the log has all of it, as one stream
        assert streams in ([b"out\n", b"err\n"], [b"out\nerr\n", b""])
        code, output, errors = run(host, "run", name, "sh", "-c", "cat; exit 4", stdin=DATA)
        assert (code, errors) == (4, b"")
        assert_same(output, DATA)
        terminal = Terminal([str(host.prefix / "bin/dokku"), "--quiet", "run", name, "sh"], 91, 33)
        terminal.expect(b"# ")
        terminal.type(b"stty size; exit 5\n")
        terminal.expect(b"33 91")
        assert terminal.end() == 5

        code, output, errors = run(host, "enter", name, "web", "sh", "-c", "cat; exit 7", stdin=DATA)
        assert code == 7
        assert_same(output, DATA)
        assert run(host, "enter", name, "web", "sh", "-c", "echo out; exit 8") == (8, b"out\n", b"")
