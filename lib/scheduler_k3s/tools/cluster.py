"""Talks to the Kubernetes API: one connection kept open, JSON in and out, errors that say who refused what.

kubectl takes 88 ms to start for every question and the official client 430 ms to import; status questions
and the watch of a rollout ask often. What the kubeconfig holds beyond certificates and tokens is left to
kubectl: then requests go through `kubectl proxy` on a private socket.
"""

import contextlib
import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from scheduler_k3s import log
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import kubeconfig

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TIMEOUT = 15.0
SILENCE = 60.0
_ATTEMPTS = 4
_RETRIED_CODES = {429, 500, 503, 504}
_IDLE_LIMIT = 5.0
_PAGE = 500

Object = dict[str, Any]
STREAM_ERRORS = (OSError, http.client.HTTPException)


class ApiError(PluginError):
    """The API server answered with an error. `code` is the HTTP status, `reason` Kubernetes' word for it."""

    def __init__(self, what: str, code: int, reason: str, message: str) -> None:
        self.code = code
        self.reason = reason
        self.detail = message
        super().__init__(
            f"The Kubernetes API refused to {what}: {message or reason} ({code})" + _HINTS.get(code, "")
        )


class Unreachable(PluginError):
    """No answer from the API server, or none that could be trusted."""


_HINTS = {
    401: ". The credentials of the kubeconfig are not accepted, they may have expired",
    403: ". The kubeconfig's user needs that permission",
}


class Cluster:
    """One API server, reached with one kubeconfig. Not safe for use by several threads; `copy()` is."""

    def __init__(
        self, connection: kubeconfig.Connection, timeout: float = TIMEOUT, attempts: int = _ATTEMPTS
    ) -> None:
        self.connection = connection
        self.timeout = timeout
        self.attempts = attempts
        self._http: http.client.HTTPConnection | None = None
        self._context: ssl.SSLContext | None = None
        self._proxy: _Proxy | None = None
        self._used = 0.0

    @classmethod
    def open(
        cls, path: str, context: str = "", timeout: float = TIMEOUT, attempts: int = _ATTEMPTS
    ) -> "Cluster":
        return cls(kubeconfig.read(path, context), timeout, attempts)

    def copy(self) -> "Cluster":
        """Another connection to the same server, for another thread."""
        other = Cluster(self.connection, self.timeout, self.attempts)
        other._context, other._proxy = self._context, self._proxy
        return other

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def get(self, path: str, **query: str | int) -> Object:
        return self.request("GET", path, query=query)

    def find(self, path: str) -> Object | None:
        """The object at `path`, None when there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(
        self, path: str, labels: str = "", fields: str = "", metadata_only: bool = False
    ) -> list[Object]:
        """All items, page by page; with `metadata_only` without their contents."""
        query: dict[str, str | int] = {"limit": _PAGE}
        if labels:
            query["labelSelector"] = labels
        if fields:
            query["fieldSelector"] = fields
        items: list[Object] = []
        while True:
            page = self.request("GET", path, query=query, accept=METADATA if metadata_only else JSON)
            items += page.get("items") or []
            query["continue"] = page.get("metadata", {}).get("continue") or ""
            if not query["continue"]:
                return items

    def create(self, path: str, body: Object, dry_run: bool = False) -> Object:
        return self.request("POST", path, body, query=_dry(dry_run))

    def merge(self, path: str, patch: Object, dry_run: bool = False) -> Object:
        """JSON merge patch: None removes a field, lists are replaced as a whole."""
        return self.request("PATCH", path, patch, content_type=MERGE_PATCH, query=_dry(dry_run))

    def replace(self, path: str, body: Object) -> Object:
        """Fails with code 409 when `body` holds a resourceVersion that is no longer the current one."""
        return self.request("PUT", path, body)

    def delete(self, path: str, propagation: str = "Background") -> bool:
        """Delete the object; False when it was not there."""
        try:
            self.request("DELETE", path, {"propagationPolicy": propagation})
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        return True

    def request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
        query: Mapping[str, str | int] | None = None,
    ) -> Object:
        """One request, its JSON answer. Reads are tried again within a bound, writes are never sent twice.

        Errors: ApiError for an answer that is an error, Unreachable when there was none.
        """
        url = path + ("?" + urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        attempts = self.attempts if method == "GET" else 1
        for attempt in range(attempts):
            last = attempt + 1 == attempts
            try:
                status, text, retry_after = self._exchange(
                    method, url, data, self._headers(accept, content_type if data else None)
                )
            except Unreachable:
                if last:
                    raise
            else:
                if status < 300:
                    return _parse(text)
                if status not in _RETRIED_CODES or last:
                    raise _api_error(f"{_VERBS[method]} {path}", status, text)
                if retry_after:
                    time.sleep(min(retry_after, 5.0))
            time.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def stream(
        self, path: str, silence: float | None = SILENCE, /, **query: str | int
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer that is read as it comes (logs, watches), on a connection of its own.

        `silence` is how many seconds may pass without data; None is for ever, as a followed log needs: even the
        head of the answer only comes with the container's first line. A dead peer is noticed by TCP. Reading
        can raise what `STREAM_ERRORS` names.
        """
        url = path + ("?" + urlencode(query) if query else "")
        connection = self._connect()
        try:
            try:
                connection.connect()
                _outlive_silence(connection.sock, silence)
                connection.request("GET", url, headers=self._headers(JSON, None))
                response = connection.getresponse()
            except STREAM_ERRORS as error:
                raise self._unreachable(error) from None
            if response.status >= 300:
                raise _api_error(f"get {path}", response.status, response.read())
            yield response
        finally:
            connection.close()

    def _exchange(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes, float]:
        if self._http is not None and time.monotonic() - self._used > _IDLE_LIMIT:
            # a server may have closed it meanwhile, and a write must not be lost to that
            self.close()
        try:
            if self._http is None:
                self._http = self._connect()
            self._http.request(method, url, body=data, headers=headers)
            response = self._http.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._unreachable(error) from None
        self._used = time.monotonic()
        retry_after = response.getheader("Retry-After") or ""
        log.debug(f"{method} {url.partition('?')[0]}: {response.status}")
        return response.status, text, float(retry_after) if retry_after.isdigit() else 0.0

    def _headers(self, accept: str, content_type: str | None) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "dokku-scheduler-k3s"}
        if content_type:
            headers["Content-Type"] = content_type
        if self.connection.token:
            headers["Authorization"] = f"Bearer {self.connection.token.reveal()}"
        return headers

    def _connect(self) -> http.client.HTTPConnection:
        if not self.connection.plain:
            if self._proxy is None:
                self._proxy = _Proxy(self.connection)
            return _UnixConnection(self._proxy.socket, self.timeout)
        url = urlsplit(self.connection.server)
        if url.scheme == "http":
            return http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=self.timeout)
        if self._context is None:
            self._context = _tls_context(self.connection)
        return _TlsConnection(
            url.hostname or "", url.port or 443, self.timeout, self._context, self.connection.server_name
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        reason = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
        return Unreachable(
            f"Unable to reach the Kubernetes API at {self.connection.server} "
            f"(kubeconfig {self.connection.path}): {reason or type(error).__name__}"
        )


_VERBS = {"GET": "get", "POST": "create", "PATCH": "change", "PUT": "replace", "DELETE": "delete"}


class _TlsConnection(http.client.HTTPSConnection):
    """Verifies the certificate against `server_name` where the kubeconfig gives one."""

    def __init__(
        self, host: str, port: int, timeout: float, context: ssl.SSLContext, server_name: str
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._tls = context
        self._server_name = server_name or host

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._server_name)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Proxy:
    """`kubectl proxy` on a socket in a private directory, ended with this process."""

    def __init__(self, connection: kubeconfig.Connection) -> None:
        import atexit
        import shutil
        import subprocess
        import tempfile

        from scheduler_k3s.tools import private

        directory = tempfile.mkdtemp(prefix="scheduler-k3s-")
        self.socket = f"{directory}/api"
        argv = [private.path("kubectl"), f"--kubeconfig={connection.path}", f"--context={connection.context}"]
        argv += ["proxy", f"--unix-socket={self.socket}"]
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

        def end() -> None:
            child.terminate()
            child.wait()
            shutil.rmtree(directory, ignore_errors=True)

        atexit.register(end)
        assert child.stdout is not None and child.stderr is not None
        if not child.stdout.readline():
            # kubectl says "Starting to serve" first, or why it cannot
            message = child.stderr.read().decode("utf-8", "replace").strip()
            raise Unreachable(
                f"Unable to create kubernetes client: kubectl refuses {connection.path}: {message}"
            )


def _outlive_silence(stream: socket.socket, silence: float | None) -> None:
    """Replace the request timeout; with none, probes end a connection whose peer has vanished within a minute."""
    stream.settimeout(silence)
    if stream.family in (socket.AF_INET, socket.AF_INET6):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3)):
            stream.setsockopt(socket.IPPROTO_TCP, option, value)


def _tls_context(connection: kubeconfig.Connection) -> ssl.SSLContext:
    """Errors: PluginError for certificates that OpenSSL refuses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if connection.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif connection.authority:
            context.load_verify_locations(cadata=connection.authority)
        else:
            context.load_default_certs()
        if connection.certificate:
            # OpenSSL reads key pairs from files only: an anonymous one in memory keeps the key off the disk
            with open(os.memfd_create("client-certificate"), "wb") as file:
                file.write(connection.certificate.reveal().encode())
                file.flush()
                context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise PluginError(
            f"Unable to create kubernetes client: kubeconfig {connection.path} holds a certificate that cannot "
            f"be used: {reason}"
        ) from None
    return context


def _dry(dry_run: bool) -> dict[str, str | int]:
    return {"dryRun": "All", "fieldValidation": "Strict"} if dry_run else {}


def _parse(text: bytes) -> Object:
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        raise Unreachable(
            "The Kubernetes API gave an answer that is not JSON; is a proxy in between?"
        ) from None
    return value if isinstance(value, dict) else {"value": value}


def _api_error(what: str, code: int, text: bytes) -> ApiError:
    try:
        status = json.loads(text)
        return ApiError(what, code, str(status.get("reason") or ""), str(status.get("message") or ""))
    except (ValueError, AttributeError):
        return ApiError(
            what, code, http.client.responses.get(code, ""), text[:200].decode("utf-8", "replace").strip()
        )


def name(text: str) -> str:
    """A name from outside as one segment of a path."""
    return quote(text, safe="")
