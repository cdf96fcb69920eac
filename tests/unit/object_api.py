"""The writing side of a Kubernetes API on loopback: objects are created, merged, replaced, also dry."""

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scheduler_k3s.tools.cluster import Cluster
from scheduler_k3s.tools.kubeconfig import Connection

Object = dict[str, Any]
Answer = tuple[int, Object]
Refusal = Callable[[str, Object], str]


class ObjectApi:
    """`objects` maps a path to what is there; `groups` what is known of an API group; `asked` is every request.

    `refusal` plays admission: given method and object, it returns why not, or "".
    """

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.groups: dict[str, Object] = {}
        self.logs: dict[str, str] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.refusal: Refusal = lambda method, item: ""
        self.down = 0
        self.url = ""

    def cluster(self) -> Cluster:
        return Cluster(Connection("kubeconfig", "test", self.url), timeout=5.0, attempts=1)

    def put(self, path: str, **item: Any) -> Object:
        """Place an object as another program would have."""
        metadata = {"name": path.rpartition("/")[2], "resourceVersion": "1", **item.pop("metadata", {})}
        self.objects[path] = {**item, "metadata": metadata}
        return self.objects[path]

    def answer(self, method: str, path: str, query: dict[str, str], body: Object) -> Answer:
        if self.down:
            return _status(self.down, "Down", "the server is down")
        if method != "GET" and (why := self.refusal(method, body)):
            return _status(403, "Forbidden", why)
        if method == "GET":
            return self._get(path, query)
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return _status(409, "AlreadyExists", f"{path} already exists")
            return self._store(path, body, query)
        if path not in self.objects:
            return _status(404, "NotFound", f"{path} not found")
        if method == "DELETE":
            return 200, self.objects.pop(path)
        if method == "PATCH":
            return self._store(path, _merged(self.objects[path], body), query)
        if body["metadata"]["resourceVersion"] != self.objects[path]["metadata"]["resourceVersion"]:
            return _status(409, "Conflict", "the object has been modified")
        return self._store(path, body, query)

    def _get(self, path: str, query: dict[str, str]) -> Answer:
        if path in self.groups:
            return 200, self.groups[path]
        if path in self.objects:
            return 200, self.objects[path]
        if not _is_collection(path):
            return _status(404, "NotFound", f"{path} not found")
        items = [item for known, item in sorted(self.objects.items()) if known.rpartition("/")[0] == path]
        return 200, {"items": [item for item in items if _selected(item, query)]}

    def _store(self, path: str, item: Object, query: dict[str, str]) -> Answer:
        if query.get("dryRun") != "All":
            version = int(item["metadata"].get("resourceVersion", 0)) + 1
            self.objects[path] = {**item, "metadata": {**item["metadata"], "resourceVersion": str(version)}}
        return 200, item


def _is_collection(path: str) -> bool:
    """`.../namespaces/NAMESPACE/KIND`, where one more segment would be an object."""
    return len(path.partition("/namespaces/")[2].split("/")) == 2


def _selected(item: Object, query: dict[str, str]) -> bool:
    labels = item["metadata"].get("labels", {})
    wanted = [word.split("=") for word in query.get("labelSelector", "").split(",") if word]
    involved = query.get("fieldSelector", "").removeprefix("involvedObject.name=")
    return all(labels.get(name) == value for name, value in wanted) and (
        not involved or item.get("involvedObject", {}).get("name") == involved
    )


def _merged(live: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(live) if isinstance(live, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _status(code: int, reason: str, message: str) -> Answer:
    return code, {"kind": "Status", "code": code, "reason": reason, "message": message}


@contextlib.contextmanager
def serve() -> Iterator[ObjectApi]:
    api = ObjectApi()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_request(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            api.asked.append((self.command, url.path, query))
            code, answer = api.answer(self.command, url.path, query, body)
            data = json.dumps(answer).encode()
            log = f"{url.path}?previous={query.get('previous')}"
            if log in api.logs:
                code, data = 200, api.logs[log].encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_request  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
