"""Fetching a program: only the file with the expected digest ever gets out of here."""

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from scheduler_k3s.errors import PluginError

TIMEOUT = 60.0
"""Seconds without a byte."""
LIMIT = 512 * 1024 * 1024
PARTIAL = ".download-"
"""How the names of unfinished files begin."""


class Refused(PluginError):
    """The server answered with a status that is an error, kept in `code`."""

    def __init__(self, url: str, code: int, reason: str) -> None:
        super().__init__(f"{url} answered {code} {reason}".rstrip())
        self.code = code


@contextmanager
def verified(url: str, digest: str, directory: str) -> Iterator[str]:
    """The path of the downloaded file, a private one in `directory`; it is gone afterwards unless moved away.

    `digest` is the sha256 in hex. Errors: PluginError that says what was wrong with the answer.
    """
    with received(url, directory) as (path, found):
        if found != digest:
            raise PluginError(f"{url} has the sha256 digest {found}, not {digest}. It was not installed")
        yield path


@contextmanager
def received(url: str, directory: str, timeout: float = TIMEOUT) -> Iterator[tuple[str, str]]:
    """As `verified`, for a file whose digest is not known yet: its path and its sha256 in hex."""
    descriptor, path = tempfile.mkstemp(prefix=PARTIAL, dir=directory)
    try:
        with open(descriptor, "wb") as file:
            found = _receive(url, file, timeout)
            file.flush()
            os.fsync(descriptor)
        yield path, found
    finally:
        if os.path.lexists(path):
            os.unlink(path)


def _receive(url: str, file: IO[bytes], timeout: float) -> str:
    opener = urllib.request.build_opener(_RedirectsToHttps)
    try:
        with opener.open(urllib.request.Request(url), timeout=timeout) as answer:
            return _copy(url, answer, file)
    except urllib.error.HTTPError as error:
        raise Refused(url, error.code, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        reason = getattr(cause, "strerror", None) or cause
        raise PluginError(f"Unable to download {url}: {reason}") from None


def _copy(url: str, answer: http.client.HTTPResponse, file: IO[bytes]) -> str:
    if answer.headers.get_content_type() in ("text/html", "application/xhtml+xml"):
        raise PluginError(f"{url} answered with a web page instead of the file")
    expected = answer.headers.get("Content-Length", "")
    digest, size = hashlib.sha256(), 0
    while block := answer.read(1024 * 1024):
        size += len(block)
        if size > LIMIT:
            raise PluginError(f"{url} is larger than {LIMIT} bytes, which no program of ours is")
        digest.update(block)
        file.write(block)
    if expected.isdigit() and size != int(expected):
        raise PluginError(f"{url} ended after {size} of {expected} bytes")
    return digest.hexdigest()


class _RedirectsToHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 (the signature is the base class's)
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith("https://"):
            raise PluginError(f"{req.full_url} redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
