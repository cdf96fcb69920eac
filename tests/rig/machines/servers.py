"""The web servers that a cluster's life needs: installer, releases and what a test adds, with faults on demand.

One HTTPS and one HTTP server on the laboratory's address offer the same paths:

    /install.sh  /install.sh.sha256sum      the installer, and its digest
    /VERSION/k3s  /VERSION/sha256sum-amd64.txt      releases
    /channels/stable      the version that the installer takes when it is told none
"""

import hashlib
import http.server
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rig.machines import release
from rig.machines.model import NEWEST

_PAGE = b"<!DOCTYPE html><html><body>Please log in to this network.</body></html>"
FAULTS = ("404", "500", "html", "truncated", "wrong", "redirect", "slow", "empty")


class Servers:
    """`url` is the HTTPS server's, `http_url` the other's.

    `faults` maps paths to one of FAULTS, `pages` paths to what makes their content; `asked` are the paths requested.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []
        self.pages: dict[str, Callable[[], bytes]] = {}
        self.folders: dict[str, Path] = {}
        self.authority = folder / "authority.crt"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*_certificate(address, folder))
        handler = type("Handler", (_Handler,), {"servers": self})
        self._plain = http.server.ThreadingHTTPServer((address, 0), handler)
        self._secure = http.server.ThreadingHTTPServer((address, 0), handler)
        self._secure.socket = context.wrap_socket(self._secure.socket, server_side=True)
        self.http_url = f"http://{address}:{self._plain.server_port}"
        self.url = f"https://{address}:{self._secure.server_port}"
        self._offer()
        for server in (self._plain, self._secure):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @property
    def installer_url(self) -> str:
        return f"{self.url}/install.sh"

    def close(self) -> None:
        for server in (self._plain, self._secure):
            server.shutdown()
            server.server_close()

    def serve(self, prefix: str, folder: Path) -> str:
        """Offers a folder's files below `prefix` (such as /charts) and returns the URL."""
        self.folders[prefix] = folder
        return self.url + prefix

    def content(self, path: str) -> bytes | None:
        if path in self.pages:
            return self.pages[path]()
        for prefix, folder in self.folders.items():
            file = (folder / path.removeprefix(prefix).lstrip("/")).resolve()
            if path.startswith(f"{prefix}/") and file.is_relative_to(folder.resolve()) and file.is_file():
                return file.read_bytes()
        return None

    def _offer(self) -> None:
        script = release.installer(self.url).encode()
        digest = f"{hashlib.sha256(script).hexdigest()}  install.sh\n".encode()
        self.pages["/install.sh"] = lambda: script
        self.pages["/install.sh.sha256sum"] = lambda: digest
        self.pages["/channels/stable"] = NEWEST.encode
        for version in release.VERSIONS:
            self.pages[f"/{version}/k3s"] = lambda version=version: release.program(version).read_bytes()  # type: ignore[misc]
            self.pages[f"/{version}/sha256sum-amd64.txt"] = lambda version=version: release.digests(
                version
            ).encode()  # type: ignore[misc]


class _Handler(http.server.BaseHTTPRequestHandler):
    servers: Servers

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.servers.asked.append(path)
        content = self.servers.content(path)
        fault = self.servers.faults.get(path)
        if fault in ("404", "500") or content is None:
            self._answer(int(fault or 404) if fault != "html" else 404, b"")
        elif fault == "redirect":
            self.send_response(302)
            self.send_header("Location", self.servers.http_url + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif fault == "html":
            self._answer(200, _PAGE, kind="text/html")
        elif fault == "empty":
            self._answer(200, b"")
        elif fault == "truncated":
            self._answer(200, content, sent=len(content) // 2)
        elif fault == "wrong":
            self._answer(200, content[:-1] + bytes([content[-1] ^ 1]))
        else:
            if fault == "slow":
                time.sleep(20)
            self._answer(200, content)

    def do_HEAD(self) -> None:
        content = self.servers.content(unquote(urlsplit(self.path).path))
        self._answer(404 if content is None else 200, content or b"", sent=0)

    def _answer(
        self, status: int, content: bytes, *, kind: str = "application/octet-stream", sent: int = -1
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if sent < 0 else content[:sent])

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def _certificate(address: str, folder: Path) -> tuple[Path, Path]:
    """A certificate for the address, of an authority that the machines trust."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "30"]
    authority = [folder / "authority.crt", folder / "authority.key"]
    own = [folder / "server.crt", folder / "server.key"]
    use = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    _openssl("req", *curve, "-subj", "/CN=rig machines", *use, "-out", authority[0], "-keyout", authority[1])
    names = ["-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE"]
    signer = ["-CA", authority[0], "-CAkey", authority[1]]
    _openssl("req", *curve, "-subj", f"/CN={address}", *names, *signer, "-out", own[0], "-keyout", own[1])
    return own[0], own[1]


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, timeout=60)
