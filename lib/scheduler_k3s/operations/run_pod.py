"""The pod of a Job, watched from its creation to its end by a thread of its own."""

import json
import threading
import time
from typing import Any

from scheduler_k3s import diagnosis, log, oneoff, pods
from scheduler_k3s.errors import PluginError
from scheduler_k3s.oneoff import Patience, Result
from scheduler_k3s.pods import Pod
from scheduler_k3s.tools.cluster import ApiError, Cluster, Unreachable, name

QUIET = 2.0
"""Seconds of waiting of which nothing is said."""
_REFUSED = 10.0
_LOST = 60.0
"""Seconds for which a lost connection is tried again."""
_WATCH_SECONDS = 240


class RunPod:
    """`pod` is its newest state, None before it exists. Waiting functions raise PluginError for what is in vain."""

    def __init__(self, cluster: Cluster, namespace: str, job: str) -> None:
        self.cluster = cluster
        self.base = f"/api/v1/namespaces/{name(namespace)}"
        self.job = job
        self.pod: Pod | None = None
        self._deleted = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        self._said = ""
        self._started = time.monotonic()
        self._events: list[Any] = []
        self._looked = 0.0
        self._patience = Patience()

    def start(self) -> None:
        threading.Thread(target=self._watch, args=(self.cluster.copy(),), daemon=True).start()

    @property
    def path(self) -> str:
        assert self.pod is not None
        return f"{self.base}/pods/{name(pods.name(self.pod))}"

    @property
    def result(self) -> Result | None:
        """How the command ended, None while it can still run."""
        pod = self.pod
        return None if pod is None else oneoff.result(pod, self._deleted)

    def wait(self, seconds: float) -> None:
        """Until the pod changes, at most `seconds`. Errors: what the watch failed with."""
        with self._changed:
            if self._error is None:
                self._changed.wait(seconds)
        if self._error is not None:
            raise self._error

    def until_made(self) -> None:
        """Until the pod exists. Errors: PluginError with the reason why it cannot."""
        while self.pod is None:
            waited = time.monotonic() - self._started
            if waited > QUIET:
                failures = [event for event in self._about(self.job) if event.get("reason") == "FailedCreate"]
                why = str(failures[-1].get("message") or "") if failures else ""
                if why and waited > _REFUSED:
                    raise PluginError(f"The cluster refuses to create the pod of job {self.job}: {why}")
                self._say(f"Waiting for the pod of job {self.job}" + (f": {why}" if why else ""))
            self.wait(0.5)

    def check_start(self) -> None:
        """Say what a pod that does not run yet waits for. Errors: PluginError when that is in vain."""
        pod, now = self.pod, time.monotonic()
        if pod is None or pods.instance(pod) or now - self._looked < 1.0 or now - self._started < QUIET:
            return
        self._looked = now
        self._events = self._about(pods.name(pod))
        if failure := self._patience.failure(pod, self._events, now):
            why = ": ".join(filter(None, (failure.reason, " ".join(failure.message.split()))))
            raise PluginError(f"Pod {failure.pod} cannot start: {why}\n{failure.hint}")
        self._say(f"Waiting for pod {pods.name(pod)}: {diagnosis.phrase(pod, self._events)}")

    def until_ended(self) -> Result:
        while (result := self.result) is None:
            self.check_start()
            self.wait(1.0)
        return result

    def _say(self, text: str) -> None:
        """On stderr, for stdout is the command's."""
        if text != self._said and not log.quiet():
            import sys

            print(f"       {text}", file=sys.stderr, flush=True)
        self._said = text

    def _about(self, subject: str) -> list[Any]:
        try:
            events = self.cluster.list(f"{self.base}/events", fields=f"involvedObject.name={subject}")
        except (ApiError, Unreachable):
            return []
        return sorted(events, key=diagnosis.event_time)

    def _watch(self, cluster: Cluster) -> None:
        lost_at = 0.0
        query: dict[str, str | int] = {
            "watch": "true",
            "labelSelector": f"batch.kubernetes.io/job-name={self.job}",
            "timeoutSeconds": _WATCH_SECONDS,
        }
        while True:
            try:
                if self.pod is not None and cluster.find(self.path) is None:
                    self._tell(self.pod, deleted=True)
                with cluster.stream(f"{self.base}/pods", _WATCH_SECONDS + 30, **query) as answer:
                    lost_at = 0.0
                    for line in answer:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            break
                        self._tell(event["object"], deleted=event["type"] == "DELETED")
            except (ApiError, Unreachable, OSError, ValueError) as error:
                refused = isinstance(error, ApiError) and error.code in (401, 403)
                now = time.monotonic()
                lost_at = lost_at or now
                if refused or now - lost_at > _LOST:
                    self._fail(error)
                    return
            time.sleep(0.5)

    def _tell(self, pod: Pod, deleted: bool) -> None:
        with self._changed:
            self.pod, self._deleted = pod, deleted
            self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._error = error if isinstance(error, PluginError) else PluginError(str(error))
            self._changed.notify_all()
