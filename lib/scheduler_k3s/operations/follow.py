"""Follows the logs of an app's pods: those there are, those that come later, until the last one has ended.

One thread watches the pods, one thread per pod copies its log, and the main thread decides. Threads are
daemons and blocked in the network for most of their life: they end with the process.
"""

import json
import queue
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scheduler_k3s import log, pods
from scheduler_k3s.lines import Output, OutputClosed, Stamped
from scheduler_k3s.pods import Pod, Source
from scheduler_k3s.tools.cluster import ApiError, Cluster, Unreachable, name

if TYPE_CHECKING:
    from scheduler_k3s.operations.logs import Prefixes

GRACE = 2.0
"""Seconds without any pod after which following ends: one that replaces another may take a moment to appear."""
PATIENCE = 60.0
"""Seconds for which a lost connection is tried again."""
_WATCH_SECONDS = 300
_CHUNK = 64 * 1024
_STACK = 512 * 1024
_REFUSED = (401, 403)


class _Followed:
    """One pod. `instance` is the container start that is, or was last, copied."""

    def __init__(self, pod: Pod, lines: Stamped) -> None:
        self.pod = pod
        self.lines = lines
        self.instance = ""
        self.copying = False
        self.gone = False

    @property
    def has_ended(self) -> bool:
        return not self.copying and (self.gone or pods.ended(self.pod))


class Follower:
    """`count` lines are shown of what was before, 0 for all."""

    def __init__(self, source: Source, output: Output, prefixes: "Prefixes", count: int) -> None:
        self._cluster, self._path = source.cluster, source.path
        self._query: dict[str, str | int] = {"labelSelector": source.labels, "fieldSelector": source.fields}
        self._output = output
        self._prefixes = prefixes
        self._count = count
        self._events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._pods: dict[str, _Followed] = {}
        self._position = 0

    def run(self, found: Sequence[Pod]) -> None:
        """Errors: PluginError when the API server is lost, OutputClosed when nobody reads any more."""
        threading.stack_size(_STACK)
        for pod in found:
            if not pods.instance(pod) and not pods.ended(pod):
                log.warn(f"Waiting for pod {pods.name(pod)}: {pods.waiting_reason(pod)}")
            self._see(pod, self._count)
        self._start(self._watch, self._cluster.copy())
        ended_at = 0.0
        while True:
            _check_reader(sys.stdout.fileno())
            try:
                self._handle(*self._events.get(timeout=0.5))
            except queue.Empty:
                pass
            if not all(followed.has_ended for followed in self._pods.values()):
                ended_at = 0.0
            elif not ended_at:
                ended_at = time.monotonic()
            elif time.monotonic() - ended_at > GRACE:
                return

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=self._guarded, args=(work, *arguments), daemon=True).start()

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception as error:
            self._events.put(("FAILED", error))

    def _handle(self, kind: str, value: Any) -> None:
        if kind == "FAILED":
            raise value
        if kind == "LISTED":
            present = {pods.uid(pod) for pod in value}
            for uid, followed in list(self._pods.items()):
                if uid not in present:
                    self._see(followed.pod, 0, gone=True)
            for pod in value:
                self._see(pod, 0)
        elif kind == "COPIED":
            value.copying = False
            self._see(value.pod, 0, gone=value.gone)
        else:
            self._see(value, 0, gone=kind == "DELETED")

    def _see(self, pod: Pod, count: int, gone: bool = False) -> None:
        """Take a pod's newest state: start to copy a container that is new, forget the pod after its end."""
        uid = pods.uid(pod)
        followed = self._pods.get(uid)
        if followed is None:
            if gone:
                return
            lines = Stamped(self._output, self._prefixes.of(pod, self._position))
            followed = self._pods[uid] = _Followed(pod, lines)
            self._position += 1
        followed.pod, followed.gone = pod, gone
        instance = pods.instance(pod)
        if instance and instance != followed.instance and not followed.copying:
            followed.instance, followed.copying = instance, True
            self._start(self._copy, followed, self._cluster.copy(), instance, count)
        if gone and not followed.copying:
            del self._pods[uid]

    def _watch(self, cluster: Cluster) -> None:
        """Tell the main thread of every change. Whatever ends the watch, a new list closes the gap."""
        lost_at = 0.0
        while True:
            try:
                answer = cluster.get(self._path, **self._query)
                lost_at = 0.0
                self._events.put(("LISTED", answer.get("items") or []))
                version = answer.get("metadata", {}).get("resourceVersion") or ""
                for kind, pod in self._changes(cluster, version):
                    self._events.put((kind, pod))
            except (Unreachable, ApiError, OSError) as error:
                refused = isinstance(error, ApiError) and error.code in _REFUSED
                now = time.monotonic()
                lost_at = lost_at or now
                if refused or now - lost_at > PATIENCE:
                    raise
            time.sleep(1)

    def _changes(self, cluster: Cluster, version: str) -> Iterator[tuple[str, Pod]]:
        query: dict[str, str | int] = {
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": _WATCH_SECONDS,
        }
        with cluster.stream(self._path, _WATCH_SECONDS + 30, **self._query, **query) as answer:
            for line in answer:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]

    def _copy(self, followed: _Followed, cluster: Cluster, instance: str, count: int) -> None:
        """Copy the log of one start of the container to its end, over as many connections as it takes."""
        lines, path = followed.lines, f"{self._path}/{name(pods.name(followed.pod))}"
        query: dict[str, str | int] = {"container": pods.container(followed.pod), "follow": "true"}
        query["timestamps"] = "true"
        if count > 0:
            query["tailLines"] = count
        lines.restart()
        failures, lost_at = 0, 0.0
        while True:
            reason, began = "", time.monotonic()
            try:
                with cluster.stream(f"{path}/log", None, **query) as answer:
                    while data := answer.read1(_CHUNK):
                        lines.take(data)
                        failures, lost_at = 0, 0.0
            except ApiError as error:
                if error.code in _REFUSED:
                    raise
                if error.code in (400, 404):
                    break
                reason = error.detail or error.reason
            except (Unreachable, OSError) as error:
                reason = str(error) or type(error).__name__
            if not _is_running(cluster, path, instance):
                break
            if reason:
                now = time.monotonic()
                # longer than connecting takes: the log was there, and silent
                lost_at = now if not lost_at or now - began > PATIENCE / 2 else lost_at
                if now - lost_at > PATIENCE:
                    log.warn(f"Lost the log of pod {pods.name(followed.pod)}: {reason}")
                    break
            time.sleep(min(0.2 * 2**failures, 5.0))
            failures += 1
            lines.resume()
            if lines.since:
                query.pop("tailLines", None)
                query["sinceTime"] = lines.since
        lines.finish()
        cluster.close()
        self._events.put(("COPIED", followed))


def _is_running(cluster: Cluster, path: str, instance: str) -> bool:
    """Whether the same start of the container still runs. When that cannot be known, the log itself may tell."""
    try:
        pod = cluster.find(path)
    except ApiError as error:
        return error.code not in _REFUSED
    except Unreachable:
        return True
    return pod is not None and pods.instance(pod) == instance and pods.running(pod)


def _check_reader(descriptor: int) -> None:
    """Errors: OutputClosed when nobody can read any more; without new lines a write would not tell."""
    poll = select.poll()
    poll.register(descriptor, 0)
    if poll.poll(0):
        raise OutputClosed(BrokenPipeError())
