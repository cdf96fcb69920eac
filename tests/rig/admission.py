"""An admission webhook on loopback that holds a write of an app's objects, so that a test can act meanwhile."""

import base64
import http.server
import json
import secrets
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.cluster import Cluster

_PATIENCE = 25.0
_CONFIGURATIONS = "validatingwebhookconfigurations.admissionregistration.k8s.io"


class Gate:
    """`reached` is set once a write is held; `opened` lets it, and all later ones, go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()


@contextmanager
def gate(cluster: Cluster, app: str, resource: str, *, dry: bool) -> Iterator[Gate]:
    """Hold writes of the app's objects of this resource (`core/secrets`), in dry runs or else in earnest.

    The API server must reach this machine's loopback. It waits at most as long as it does for any webhook.
    """
    held = Gate()
    name = f"rig-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = _certificate(Path(directory))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(held, dry))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            hook = _configuration(name, server.server_port, certificate.read_bytes(), app, resource)
            cluster.kubectl("create", "--filename=-", stdin=json.dumps(hook))
            yield held
        finally:
            held.opened.set()
            cluster.kubectl("delete", _CONFIGURATIONS, name, "--ignore-not-found")
            server.shutdown()
            server.server_close()


def _handler(held: Gate, dry: bool) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if bool(review["request"].get("dryRun")) == dry:
                held.reached.set()
                held.opened.wait(_PATIENCE)
            answer = {"uid": review["request"]["uid"], "allowed": True}
            body = json.dumps({**review, "request": None, "response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    return Handler


def _configuration(name: str, port: int, certificate: bytes, app: str, resource: str) -> dict[str, Any]:
    group, _, plural = resource.partition("/")
    rule = {
        "apiGroups": ["" if group == "core" else group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [plural],
    }
    hook = {
        "name": f"{name}.rig.test",
        "clientConfig": {
            "url": f"https://127.0.0.1:{port}/",
            "caBundle": base64.b64encode(certificate).decode(),
        },
        "rules": [rule],
        "objectSelector": {"matchLabels": {"app.kubernetes.io/part-of": app}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 30,
        "failurePolicy": "Ignore",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [hook],
    }


def _certificate(directory: Path) -> tuple[Path, Path]:
    certificate, key = directory / "tls.crt", directory / "tls.key"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    argv += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(argv, check=True, capture_output=True)
    return certificate, key
