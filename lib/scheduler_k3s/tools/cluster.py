"""Talks to the Kubernetes API: one connection kept open, JSON in and out, errors that say who refused what.

kubectl takes 88 ms to start for every question and the official client 430 ms to import; status questions
and the watch of a rollout ask often. What the kubeconfig holds beyond certificates and tokens is left to
kubectl: then requests go through `kubectl proxy` on a private socket.
"""

import contextlib
import json
import time

from scheduler_k3s import log
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import kubeconfig
from scheduler_k3s.tools.dial import Dialer, outlive_silence
from scheduler_k3s.tools.http1 import SWITCHING, Connection, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from scheduler_k3s.tools.websocket import WebSocket

    Object = dict[str, Any]
else:
    Object = dict

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TIMEOUT = 15.0
SILENCE = 60.0
_ATTEMPTS = 4
_RETRIED_CODES = {429, 500, 503, 504}
_IDLE_LIMIT = 5.0
_PAGE = 500

_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")


class ApiError(PluginError):
    """The API server answered with an error. `code` is the HTTP status, `reason` Kubernetes' word for it.

    `reason` is "" when it was not the API itself that answered.
    """

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
    401: ". The credentials of the kubeconfig are not accepted, they may have expired. Another one is set "
    "with: dokku scheduler-k3s:set --global kubeconfig-path PATH",
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
        self._dialer = Dialer(connection)
        self._open: Connection | None = None
        self._used = 0.0

    @classmethod
    def open(
        cls, path: str, context: str = "", timeout: float = TIMEOUT, attempts: int = _ATTEMPTS
    ) -> "Cluster":
        return cls(kubeconfig.read(path, context), timeout, attempts)

    def copy(self) -> "Cluster":
        """Another connection to the same server, for another thread."""
        other = Cluster(self.connection, self.timeout, self.attempts)
        other._dialer = self._dialer
        return other

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

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
        query: "Mapping[str, str | int] | None" = None,
    ) -> Object:
        """One request, its JSON answer. Reads are tried again within a bound, writes are never sent twice.

        Errors: ApiError for an answer that is an error, Unreachable when there was none.
        """
        url = self._url(path, query or {})
        data = b"" if body is None else json.dumps(body).encode()
        attempts = self.attempts if method == "GET" else 1
        for attempt in range(attempts):
            last = attempt + 1 == attempts
            try:
                status, text, retry_after = self._exchange(
                    method, url, data, self._headers(accept, content_type if data else "")
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
    ) -> "Iterator[Response]":
        """An answer that is read as it comes (logs, watches), on a connection of its own.

        `silence` is how many seconds may pass without data; None is for ever, as a followed log needs: even the
        head of the answer only comes with the container's first line. A dead peer is noticed by TCP. Reading
        the answer raises OSError when the connection breaks.
        """
        connection: Connection | None = None
        try:
            try:
                connection = self._dialer.dial(self.timeout)
                outlive_silence(connection.stream, silence)
                response = connection.request("GET", self._url(path, query), self._headers(JSON))
                refusal = response.read() if response.status >= 300 else None
            except OSError as error:
                raise self._unreachable(error) from None
            if refusal is not None:
                raise _api_error(f"get {path}", response.status, refusal)
            yield response
        finally:
            if connection is not None:
                connection.close()

    def upgrade(self, path: str, words: "Sequence[tuple[str, str]]", channels: str) -> "WebSocket":
        """A connection to a container's process (attach, exec), no longer HTTP. `words` are the query's.

        `channels` is the protocol spoken on it. Errors: ApiError when it is refused, Unreachable.
        """
        from scheduler_k3s.tools.websocket import WebSocket, upgrade_headers

        query = "&".join(f"{name(key)}={name(value)}" for key, value in words)
        connection: Connection | None = None
        try:
            connection = self._dialer.dial(self.timeout)
            outlive_silence(connection.stream, self.timeout)
            headers = {**self._headers("*/*"), **upgrade_headers(channels)}
            response = connection.request("GET", f"{self._dialer.base}{path}?{query}", headers)
            if response.status == SWITCHING:
                return WebSocket(connection)
            refusal = response.read()
        except OSError as error:
            if connection is not None:
                connection.close()
            raise self._unreachable(error) from None
        connection.close()
        raise _api_error(f"get {path}", response.status, refusal)

    def _exchange(
        self, method: str, url: str, data: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes, float]:
        if self._open is not None and time.monotonic() - self._used > _IDLE_LIMIT:
            # a server may have closed it meanwhile, and a write must not be lost to that
            self.close()
        try:
            if self._open is None:
                self._open = self._dialer.dial(self.timeout)
            response = self._open.request(method, url, headers, data)
            text = response.read()
        except OSError as error:
            self.close()
            raise self._unreachable(error) from None
        if not self._open.reusable:
            self.close()
        self._used = time.monotonic()
        retry_after = response.headers.get("retry-after", "")
        log.debug(f"{method} {url.partition('?')[0]}: {response.status}")
        return response.status, text, float(retry_after) if retry_after.isdecimal() else 0.0

    def _url(self, path: str, query: "Mapping[str, str | int]") -> str:
        words = "&".join(f"{name(key)}={name(str(value))}" for key, value in query.items())
        return self._dialer.base + path + ("?" + words if words else "")

    def _headers(self, accept: str, content_type: str = "") -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "dokku-scheduler-k3s"}
        if content_type:
            headers["Content-Type"] = content_type
        if self.connection.token:
            headers["Authorization"] = f"Bearer {self.connection.token.reveal()}"
        return headers

    def _unreachable(self, error: OSError) -> Unreachable:
        reason = getattr(error, "verify_message", "") or error.strerror or str(error)
        return Unreachable(
            f"Unable to reach the Kubernetes API at {self.connection.server} "
            f"(kubeconfig {self.connection.path}): {reason or type(error).__name__}"
        )


_VERBS = {"GET": "get", "POST": "create", "PATCH": "change", "PUT": "replace", "DELETE": "delete"}


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
        return ApiError(what, code, "", text[:200].decode("utf-8", "replace").strip() or "no reason given")


def name(text: str) -> str:
    """A text from outside as one segment of a path, or one word of a query."""
    octets = text.encode("utf-8", "surrogateescape")
    return "".join(chr(octet) if octet in _SAFE else f"%{octet:02X}" for octet in octets)
