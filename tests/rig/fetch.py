"""Asks for a URL at a given address, whatever name the URL has: the tests' domains are in no DNS."""

import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from rig.target import INGRESS

_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """`headers` have lower-case names; `certificate` is the server's, in PEM, when the URL was https."""

    status: int
    headers: dict[str, str]
    body: bytes
    certificate: str | None

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


def fetch(
    url: str,
    *,
    address: str = INGRESS,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    seconds: float = _SECONDS,
) -> Answer:
    """One request on a connection of its own, redirects not followed, certificates not checked.

    Raises OSError or http.client.HTTPException.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_tls = parts.scheme == "https"
    raw = socket.create_connection((address, parts.port or (443 if is_tls else 80)), timeout=seconds)
    with _tls(raw, host) if is_tls else raw as stream:
        # asked for first: the end of an answer may close the connection, and take it along
        certificate = _certificate(stream)
        connection = http.client.HTTPConnection(host)
        connection.sock = stream
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        connection.request(method, target, body, {"Host": parts.netloc, **(headers or {})})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read(), certificate)


def _tls(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(raw, server_hostname=host)


def _certificate(stream: socket.socket) -> str | None:
    der = stream.getpeercert(binary_form=True) if isinstance(stream, ssl.SSLSocket) else None
    return ssl.DER_cert_to_PEM_cert(der) if der else None
