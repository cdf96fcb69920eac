"""Questions that tell whether a part works, each answered within two seconds."""

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from rig.node.certificates import PKI
from rig.node.model import API_PORT

_SECONDS = 2.0


def answers(url: str) -> bool:
    """Whether a GET is answered with 200. The parts' own certificates on loopback are not checked."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS, context=context) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def api_answers(path: str, *, body_has: str = "") -> bool:
    """Whether the API server answers the administrator's GET with 200 and this text."""
    try:
        answer = api_get(path)
    except (OSError, http.client.HTTPException):
        return False
    return body_has in answer


def api_get(path: str) -> str:
    """The API server's answer to the administrator. Raises OSError or HTTPException."""
    context = ssl.create_default_context(cafile=PKI / "ca.crt")
    context.load_cert_chain(PKI / "admin.crt", PKI / "admin.key")
    connection = http.client.HTTPSConnection("127.0.0.1", API_PORT, timeout=_SECONDS, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise urllib.error.URLError(f"GET {path} was answered with {answer.status}")
    return text


def socket_answers(path: Path) -> bool:
    """Whether something accepts connections on a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def docker_answers(path: Path) -> bool:
    """Whether a docker daemon answers a ping on this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_SECONDS)
        try:
            client.connect(str(path))
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in client.recv(64)
        except OSError:
            return False
