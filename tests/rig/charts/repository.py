"""A chart repository over HTTP: an index and one archive per chart and version, with faults that tests switch on."""

import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rig import images
from rig.charts import contents

UPGRADER = "system-upgrade-controller-0.13.2.yaml"
FAULTS = ("missing", "truncated", "web page", "other chart")


class Repository:
    """`url` is the repository's. `break_(file, fault)` makes one answer wrong; `asked` is every path asked for."""

    def __init__(self, url: str, files: Mapping[str, bytes]) -> None:
        self.url = url
        self.files = dict(files)
        self.asked: list[str] = []
        self._faults: dict[str, str] = {}

    def break_(self, file: str, fault: str) -> None:
        """A fault is one of FAULTS, or "" for none."""
        assert fault in ("", *FAULTS)
        self._faults[file] = fault

    def answer(self, file: str) -> tuple[int, str, bytes, int]:
        """Status, type and body of the answer, and the length it claims."""
        self.asked.append(file)
        body = self.files.get(file)
        fault = self._faults.get(file, "")
        if body is None or fault == "missing":
            return 404, "text/plain", b"not here\n", 9
        if fault == "truncated":
            return 200, "application/gzip", body[: len(body) // 2], len(body)
        if fault == "web page":
            page = b"<!DOCTYPE html><title>Log in</title>\n"
            return 200, "text/html", page, len(page)
        if fault == "other chart":
            body = _archive(
                "other", {"Chart.yaml": b'{"apiVersion": "v2", "name": "other", "version": "1.0.0"}'}
            )
        return 200, "application/octet-stream", body, len(body)


@contextmanager
def serve(
    image: str = "", *, address: str = "127.0.0.1", port: int = 0, definitions: bool = True
) -> Iterator[Repository]:
    """Serve until the end. The charts' pods run `image`, by default one made in the rig's registry.

    Without `definitions` the charts bring no custom resources, for a cluster that has them from elsewhere.
    """
    files = build(image or pod_image(), definitions)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body, length = repository.answer(self.path.lstrip("/"))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads = True
    repository = Repository(f"http://{address}:{server.server_port}", files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield repository
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pod_image() -> str:
    """What all system pods run: nothing, until they are told to end."""
    script = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
    return images.build("rig/system-pod", cmd=["sh", "-c", script])


def build(image: str, definitions: bool) -> dict[str, bytes]:
    """All files of the repository, by their paths."""
    files: dict[str, bytes] = {}
    entries: dict[str, list[dict[str, object]]] = {}
    for name, version in contents.versions():
        archive = f"{name}-{version}.tgz"
        files[archive] = _archive(name, contents.files(name, version, image, definitions))
        digest = hashlib.sha256(files[archive]).hexdigest()
        entry: dict[str, object] = {"apiVersion": "v2", "name": name, "version": version, "urls": [archive]}
        entries.setdefault(name, []).append({**entry, "digest": digest, "created": "2024-01-01T00:00:00Z"})
    files["index.yaml"] = json.dumps({"apiVersion": "v1", "entries": entries}).encode()
    files[UPGRADER] = json.dumps(_upgrader(image)).encode()
    return files


def _archive(name: str, files: Mapping[str, bytes]) -> bytes:
    output = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=output, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path, content in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return output.getvalue()


def _upgrader(image: str) -> dict[str, object]:
    """The controller's namespace and Deployment, as its manifest has them."""
    labels = {"upgrade.cattle.io/controller": "system-upgrade-controller"}
    metadata = {"name": "system-upgrade-controller", "namespace": "system-upgrade"}
    pod = {"tolerations": [{"operator": "Exists"}], "containers": [{"name": "controller", "image": image}]}
    template = {"metadata": {"labels": labels}, "spec": {**pod, "terminationGracePeriodSeconds": 1}}
    deployment = {"selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "system-upgrade"}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": deployment},
        ],
    }
