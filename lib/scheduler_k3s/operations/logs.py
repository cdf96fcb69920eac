"""scheduler-logs: the logs of an app's pods, of those there are or followed until the last one ends."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from scheduler_k3s import log, pods
from scheduler_k3s.dokku import triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.lines import Output, OutputClosed, Plain
from scheduler_k3s.operations import follow, place
from scheduler_k3s.pods import Pod, Source
from scheduler_k3s.tools.cluster import ApiError, Cluster, Unreachable, name

if TYPE_CHECKING:
    from scheduler_k3s.tools.http1 import Response

_LANES = 8
_ATTEMPTS = 4
_CHUNK = 256 * 1024
_COLOURS = (31, 33, 32, 36, 34, 35)
_TYPE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def logs(app: str, process: str, tail: bool, quiet: bool, count: int) -> None:
    """Print the last `count` lines of each pod of the app (0: all), with `tail` also those to come.

    `process` is a type, `type.n` for the type's nth pod by name, or "" for all. Errors: PluginError.
    """
    kind, position = parse_process(process)
    labels = f"app.kubernetes.io/part-of={app}" + (f",app.kubernetes.io/name={kind}" if kind else "")
    source, found = _found(app, labels)
    if position:
        found = [_pick(found, kind, position)]
    prefixes = Prefixes(quiet)
    fields = f"metadata.name={pods.name(found[0])}" if position else ""
    _show(source._replace(fields=fields), found, prefixes, tail, count)


def selected(app: str, labels: str, pod: str, *, tail: bool, quiet: bool, count: int) -> None:
    """The same for the pods with the labels, or the one of them that is named. Errors: PluginError."""
    source, found = _found(app, labels, f"metadata.name={pod}" if pod else "")
    _show(source, found, Prefixes(quiet), tail, count)


def _found(app: str, labels: str, fields: str = "") -> tuple[Source, list[Pod]]:
    """Where the pods are, and those there are now, by name. Errors: PluginError when there is none."""
    where = place.of(app)
    source = Source(where.cluster(), f"/api/v1/namespaces/{name(where.namespace)}/pods", labels, fields)
    found = sorted(source.cluster.list(source.path, labels=labels, fields=fields), key=pods.name)
    if not found:
        raise PluginError("No pods found matching specified labels")
    return source, found


def _show(source: Source, found: Sequence[Pod], prefixes: "Prefixes", tail: bool, count: int) -> None:
    output = Output(sys.stdout.fileno())
    _end_on_signals()
    try:
        if tail:
            follow.Follower(source, output, prefixes, count).run(found)
        else:
            _print(source, found, output, prefixes, count)
    except OutputClosed as closed:
        raise closed.error from None


def parse_process(process: str) -> tuple[str, int]:
    """`web.2` -> ("web", 2), `web` -> ("web", 0). Errors: PluginError for what can be neither."""
    kind, dot, number = process.rpartition(".") if "." in process else (process, "", "")
    if (
        not _TYPE.issuperset(kind)
        or len(kind) > 63
        or (dot and not (kind and number.isdecimal() and int(number)))
    ):
        raise PluginError(
            f"Invalid process: {process!r}, it must be a process type or one of its pods, "
            "counted from 1: web or web.1"
        )
    return kind, int(number or 0)


class Prefixes:
    """The words in front of each line, in dokku's colours by the pod's position if somebody can see them."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._coloured = sys.stdout.isatty() or os.environ.get("FORCE_TTY") == "1"

    def of(self, pod: Pod, position: int) -> bytes:
        if self._quiet:
            return b""
        text = f"app[{pods.name(pod)}]: "
        if self._coloured:
            text = f"\033[{_COLOURS[position % len(_COLOURS)]}m{text}\033[0m"
        return text.encode()


def _pick(found: Sequence[Pod], kind: str, position: int) -> Pod:
    if position <= len(found):
        return found[position - 1]
    known = [f"{kind}.{number} ({pods.name(pod)})" for number, pod in enumerate(found, 1)]
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""
    raise PluginError(f"There is no {kind}.{position}, only {', '.join(known[:10])}{more}")


def _print(source: Source, found: Sequence[Pod], output: Output, prefixes: Prefixes, count: int) -> None:
    """Pod after pod in the order given. Some connections are opened ahead, so that they need not wait for each
    other; what they bring stays in the network until it is their turn.
    """
    turns = [threading.Event() for _ in range(len(found) + 1)]
    turns[0].set()
    reasons: list[str] = []
    numbers = iter(range(len(found)))

    def lane(own: Cluster) -> None:
        for number in numbers:
            pod = found[number]
            try:
                with _opened(own, f"{source.path}/{name(pods.name(pod))}/log", pod, count) as answer:
                    turns[number].wait()
                    _copy(answer, Plain(output, prefixes.of(pod, number)), pod)
            except _NoLog as reason:
                turns[number].wait()
                log.warn(f"Skipping pod {pods.name(pod)}, which has no log yet: {reason}")
                reasons.append(str(reason))
            finally:
                turns[number + 1].set()

    lanes = [source.cluster.copy() for _ in range(min(_LANES, len(found)))]
    triggers.together([lambda own=own: lane(own) for own in lanes])  # type: ignore[misc]
    if len(reasons) == len(found):
        raise PluginError("None of the pods has a log yet")


class _NoLog(Exception):
    """The pod's container cannot tell anything yet; the text is why."""


@contextmanager
def _opened(cluster: Cluster, path: str, pod: Pod, count: int) -> "Iterator[Response]":
    """The log as it comes. Errors: _NoLog, or PluginError for what is the same for all pods."""
    if not pods.instance(pod):
        raise _NoLog(pods.waiting_reason(pod))
    query: dict[str, str | int] = {"container": pods.container(pod)}
    if count > 0:
        query["tailLines"] = count
    for attempt in range(_ATTEMPTS):
        last = attempt + 1 == _ATTEMPTS
        try:
            with cluster.stream(path, **query) as answer:
                yield answer
                return
        except ApiError as error:
            if error.code in (401, 403):
                raise
            if last or error.code in (400, 404):
                raise _NoLog(error.detail or error.reason) from None
        except Unreachable:
            if last:
                raise
        time.sleep(0.2 * 2**attempt)


def _copy(answer: "Response", lines: Plain, pod: Pod) -> None:
    try:
        while data := answer.read1(_CHUNK):
            lines.take(data)
    except OSError as error:
        reason = getattr(error, "strerror", "") or type(error).__name__
        log.warn(f"The log of pod {pods.name(pod)} is not complete, the connection broke: {reason}")
    lines.finish()


def _end_on_signals() -> None:
    """INT, HUP and TERM end the process without a word; what was ignored at the start (nohup) stays so."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
