"""A Kubernetes API on loopback: real HTTP, a few endpoints, and whatever pods and faults a test wants.

Logs follow the kubelet's rules: stamps on request, `sinceTime` cut to the second, an answer whose head only comes
with the first byte, and the end of the answer when the container ends.
"""

import http.server
import json
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]
Line = tuple[str, bytes]
Query = dict[str, str]


def stamp(second: int, nano: int = 0) -> str:
    return f"2026-01-02T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{nano:09}Z"


class Pod:
    """`lines` is the log. `drops` holds, per connection to the log, how many bytes it lives for."""

    def __init__(
        self, name: str, *lines: bytes, kind: str = "web", app: str = "demo", running: bool = False
    ) -> None:
        self.name, self.kind, self.app = name, kind, app
        self.lines: list[Line] = [(stamp(number // 4), line) for number, line in enumerate(lines)]
        self.running = running
        self.waiting = ""
        self.start = 1
        self.drops: list[int] = []
        self.containers = ["app"]
        self.annotations: dict[str, str] = {}

    def object(self) -> Object:
        state: Object = {"running": {}} if self.running else {"terminated": {"exitCode": 0}}
        if self.waiting:
            state = {"waiting": {"reason": self.waiting}}
        statuses: list[Object] = [{"name": name, "state": state} for name in self.containers]
        for status in statuses if not self.waiting else ():
            status["containerID"] = f"c://{self.name}.{status['name']}.{self.start}"
        labels = {"app.kubernetes.io/part-of": self.app, "app.kubernetes.io/name": self.kind}
        phase = "Pending" if self.waiting else "Running" if self.running else "Succeeded"
        return {
            "metadata": {
                "name": self.name,
                "uid": f"uid-{self.name}",
                "labels": labels,
                "annotations": self.annotations,
            },
            "spec": {"containers": [{"name": name} for name in self.containers]},
            "status": {"phase": phase, "containerStatuses": statuses},
        }


class Api:
    """The state of the cluster. Change it under `changing()`, which wakes whoever follows it."""

    def __init__(self) -> None:
        self.pods: dict[str, Pod] = {}
        self.objects: dict[str, list[Object]] = {}
        self.requests: list[tuple[str, str, Query]] = []
        self.tokens: list[str] = []
        self.bodies: list[tuple[str, str, Object]] = []
        self.faults: list[Callable[[str, str, Query], tuple[int, str] | None]] = []
        self.stuck = threading.Event()
        self._changed = threading.Condition()
        self._events: list[tuple[str, Object]] = []
        self._cut = ""
        self.port = 0
        self.scheme = "http"

    def add(self, *pods: Pod) -> None:
        with self.changing():
            for pod in pods:
                self.pods[pod.name] = pod
                self._events.append(("ADDED", pod.object()))

    def modify(self, pod: Pod) -> None:
        self._events.append(("MODIFIED", pod.object()))

    def remove(self, pod: Pod) -> None:
        with self.changing():
            pod.running = False
            del self.pods[pod.name]
            self._events.append(("DELETED", pod.object()))

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()

    def cut(self, what: str) -> None:
        """Hang up on a `watch` or a followed `log` in the middle of its answer."""
        with self.changing():
            self._cut = what

    def _hang_up(self, what: str) -> None:
        if self._cut == what:
            self._cut = ""
            raise ConnectionError

    def paths(self, ending: str) -> list[tuple[str, Query]]:
        return [(path, query) for _, path, query in list(self.requests) if path.endswith(ending)]

    def kubeconfig(
        self, directory: Path, user: "Object | None" = None, cluster: "Object | None" = None
    ) -> Path:
        path = directory / "kubeconfig"
        server = {"server": f"{self.scheme}://127.0.0.1:{self.port}", **(cluster or {})}
        config = {
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": user or {}}],
        }
        path.write_text(json.dumps(config))
        return path

    def selected(self, query: Query) -> list[Pod]:
        wanted = [word.partition("=")[::2] for word in query.get("labelSelector", "").split(",") if word]
        fields = query.get("fieldSelector", "").removeprefix("metadata.name=")
        with self._changed:
            found = list(self.pods.values())
        return [
            pod
            for pod in found
            if all(pod.object()["metadata"]["labels"].get(key) == value for key, value in wanted)
            and fields in ("", pod.name)
        ]

    def version(self) -> int:
        return len(self._events)

    def events(self, version: int) -> Iterator[tuple[str, Object]]:
        while True:
            with self._changed:
                while len(self._events) <= version:
                    if self.stuck.is_set():
                        return
                    self._hang_up("watch")
                    self._changed.wait()
                event = self._events[version]
            version += 1
            yield event

    def log(self, pod: Pod, query: Query) -> Iterator[bytes]:
        """The pieces of a log. Ends with the container's end, or at once without `follow`."""
        start, lines, since = pod.start, pod.lines, query.get("sinceTime", "")[:19]
        position = max(0, len(lines) - int(query["tailLines"])) if "tailLines" in query else 0
        while True:
            with self._changed:
                while query.get("follow") == "true" and len(lines) == position:
                    if not pod.running or pod.start != start or self.stuck.is_set():
                        return
                    self._hang_up("log")
                    self._changed.wait()
                new, position = lines[position:], len(lines)
            for moment, line in new:
                if moment[:19] >= since:
                    yield (moment.encode() + b" " if query.get("timestamps") == "true" else b"") + line
            if not new:
                return


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: Api

    def handle_request(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.api.requests.append((self.command, url.path, query))
        if token := self.headers.get("Authorization"):
            self.api.tokens.append(token)
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.api.bodies.append((self.command, url.path, json.loads(self.rfile.read(length))))
        for fault in self.api.faults:
            if answer := fault(self.command, url.path, query):
                self._refuse(*answer)
                return
        self._answer(url.path, query)

    do_GET = do_PATCH = do_DELETE = handle_request  # noqa: N815 - the library's names

    def _answer(self, path: str, query: Query) -> None:
        parts = path.split("/")
        if parts[5:6] == ["pods"]:
            if parts[7:] == ["log"]:
                self._log(parts[6], query)
            elif len(parts) > 6:
                pod = self.api.pods.get(parts[6])
                self._json(pod.object()) if pod else self._refuse(404, "NotFound")
            elif query.get("watch"):
                events = self.api.events(int(query.get("resourceVersion") or 0))
                self._chunks(
                    json.dumps({"type": kind, "object": item}).encode() + b"\n" for kind, item in events
                )
            else:
                version = self.api.version()
                items = [pod.object() for pod in self.api.selected(query)]
                self._json({"metadata": {"resourceVersion": str(version)}, "items": items})
        elif path in self.api.objects:
            self._json({"metadata": {}, "items": self.api.objects[path]})
        elif self.command in ("PATCH", "DELETE") or path == "/version":
            self._json({})
        else:
            self._refuse(404, "NotFound")

    def _log(self, name: str, query: Query) -> None:
        pod = self.api.pods.get(name)
        if pod is None:
            self._refuse(404, "NotFound")
        elif pod.waiting:
            self._refuse(400, f'container "app" in pod "{name}" is waiting to start: {pod.waiting}')
        else:
            self._chunks(self.api.log(pod, query), pod.drops.pop(0) if pod.drops else None)

    def _chunks(self, pieces: Iterator[bytes], drop: "int | None" = None) -> None:
        """Send pieces in chunks of odd sizes; the head goes with the first. With `drop`, hang up after so many."""
        begun = False
        sizes = random.Random(7)
        for piece in pieces:
            rest = piece
            while rest:
                size = sizes.choice((1, 7, 100, 4096, 20_000))
                part, rest = rest[:size], rest[size:]
                if drop is not None:
                    part = part[:drop]
                    drop -= len(part)
                self._begin(begun)
                begun = True
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if part else b"")
                self.wfile.flush()
                if drop == 0:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
        self._begin(begun)
        self.wfile.write(b"0\r\n\r\n")

    def _begin(self, begun: bool) -> None:
        if not begun:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

    def _json(self, value: Object, code: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, code: int, message: str) -> None:
        if code == 0:
            self.api.stuck.wait()
            self.close_connection = True
            return
        self._json({"kind": "Status", "reason": "Test", "message": message}, code)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests are about."""


@contextmanager
def serve(certificate: "tuple[Path, Path, Path] | None" = None) -> Iterator[Api]:
    """With `certificate` (server's certificate, its key, the CA of clients) over TLS."""
    api = Api()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[0], certificate[1])
        context.load_verify_locations(certificate[2])
        context.verify_mode = ssl.CERT_OPTIONAL
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        api.scheme = "https"
    api.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield api
    finally:
        with api.changing():
            api.stuck.set()
        server.shutdown()
        server.server_close()
