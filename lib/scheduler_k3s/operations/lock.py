"""One operation per app at a time. dokku locks pushes only: restarts, scaling and config changes can overlap.

There are two locks. The first is held by the plugin's process from gathering the facts to the end of helm.
The second is held by helm itself, through an inherited descriptor: should the plugin be killed, it lasts as
long as the helm that was left behind, so that nobody takes a living release for an abandoned one.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from scheduler_k3s import log
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError

_POLL = 0.25
_REPORT = 10.0


@contextlib.contextmanager
def app_lock(app: str) -> Iterator[int]:
    """Hold the app. Yields the descriptor that helm is to inherit. Waits, and says for whom."""
    directory = host.data(app)
    properties.make_directory(directory)
    with _held(app, f"{directory}/deploy.lock") as _, _held(app, f"{directory}/helm.lock") as inherited:
        yield inherited


@contextlib.contextmanager
def cluster_lock() -> Iterator[None]:
    """Hold the cluster's nodes: one command at a time makes a cluster, joins, removes or uninstalls."""
    directory = host.data(properties.GLOBAL)
    properties.make_directory(directory)
    with _held("the cluster", f"{directory}/nodes.lock"):
        yield


@contextlib.contextmanager
def _held(app: str, path: str) -> Iterator[int]:
    """Whoever held the lock before may have destroyed the app, and its file with it: then there is a new one."""
    while True:
        descriptor = _open(app, path)
        try:
            _wait(app, descriptor)
            if _is_at(path, descriptor):
                # on a full disk nobody learns who holds it, but it is held
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _open(app: str, path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise PluginError(f"Unable to lock {app}: {path}: {error.strerror}") from None
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.fchmod(descriptor, 0o600)
    host.give_to_dokku(path)
    return descriptor


def _is_at(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _wait(app: str, descriptor: int) -> None:
    said = 0.0
    started = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - started
            if not said or waited - said >= _REPORT:
                said = max(waited, 0.001)
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                log.detail(f"Waiting for another operation on {app} to end (process {holder}, {waited:.0f}s)")
            time.sleep(_POLL)
        else:
            return
