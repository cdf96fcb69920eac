"""Watches the rollouts of a deploy: shows what the pods do, and sees early when there is no hope."""

import re
import time
from collections.abc import Sequence

from scheduler_k3s import log
from scheduler_k3s.diagnosis import Failure, Object, condition, event_time, has_ended, is_leaving, is_ready
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations.state import PART_OF
from scheduler_k3s.rollout import Rollout, unfinished
from scheduler_k3s.tools.cluster import ApiError, Cluster, Unreachable, name

INTERVAL = 1.0
HEARTBEAT = 10.0
LOG_LINES = 15
_EVENTS_OF = 8


class RolloutFailed(PluginError):
    """The new pods did not come up. The message is the whole report: what, which pod, why, what to do."""


class Watch:
    """The rollouts of one app. `look` asks the cluster once; `show` prints what is new since the last time."""

    def __init__(self, cluster: Cluster, app: str, namespace: str, rollouts: Sequence[Rollout]) -> None:
        self.cluster = cluster
        self.app = app
        self.namespace = namespace
        self.rollouts = rollouts
        self.events: dict[str, list[Object]] = {}
        self.started = time.monotonic()
        self._said: dict[str, str] = {}
        self._said_at = self.started

    def look(self) -> None:
        """An API server that does not answer for a moment is not a failed rollout: the next look may see more."""
        try:
            deployments, replica_sets = self._list("/apis/apps/v1", "deployments", "replicasets")
            (pods,) = self._list("/api/v1", "pods")
            self._read_events(pods)
        except Unreachable as error:
            log.debug(error.message)
            return
        except ApiError as error:
            if error.code < 500 and error.code != 429:
                raise
            return
        now = time.monotonic()
        for rollout in self.rollouts:
            rollout.look(deployments, replica_sets, pods, self.events, now)

    def show(self) -> None:
        """A line per process when it changed; when nothing changes, one every 10 s with the time that passed."""
        now = time.monotonic()
        news = [r.text for r in self.rollouts if r.applied and self._said.get(r.process) != r.text]
        if not news and now - self._said_at >= HEARTBEAT:
            busy = [r.text for r in self.rollouts if not r.settled]
            news = [f"{text} ({now - self.started:.0f}s)" for text in busy[:3]]
        for text in news:
            log.detail(text)
        if news:
            self._said_at = now
            self._said.update({r.process: r.text for r in self.rollouts if r.applied})

    @property
    def settled(self) -> bool:
        return all(rollout.settled for rollout in self.rollouts)

    def failures(self) -> list[Failure]:
        return [rollout.failure for rollout in self.rollouts if rollout.failure]

    def unfinished(self) -> list[Failure]:
        return [unfinished(rollout, self.events) for rollout in self.rollouts if not rollout.settled]

    def report(self, failures: Sequence[Failure], headline: str) -> RolloutFailed:
        """What failed, which pod, why, its last log lines, what to do; one block per process."""
        lines = [headline]
        for failure in failures:
            lines += self._block(failure)
        return RolloutFailed("\n".join(lines))

    def _block(self, failure: Failure) -> list[str]:
        where = f"pod {failure.pod}: " if failure.pod else ""
        why = _one_line(failure.message)
        # "Error" is the kubelet's word for any exit code but 0: the message says more
        reason = "" if why and failure.reason == "Error" else failure.reason
        lines = [f"{failure.process}: {where}{': '.join(filter(None, (reason, why)))}"]
        lines += [f"  event: {text}" for text in self._warnings(failure)]
        if output := self._log(failure):
            lines += ["  its last log lines:", *(f"    {line}" for line in output)]
        if failure.hint:
            known = {"APP": self.app, "TYPE": failure.process}
            lines.append("  " + re.sub(r"\b(APP|TYPE)\b", lambda word: known[word[0]], failure.hint))
        return lines

    def _warnings(self, failure: Failure) -> list[str]:
        """The last two that say more than the failure's own message."""
        texts: list[str] = []
        known = _one_line(failure.message)
        for event in self.events.get(failure.pod, ()):
            text = f"{event.get('reason')}: {_one_line(str(event.get('message') or ''))}"
            restates = event.get("reason") == "BackOff" or str(event.get("message")).startswith("Error: ")
            is_news = text not in texts and not restates and not (known and known in text)
            if event.get("type") == "Warning" and is_news:
                texts.append(text)
        return texts[-2:]

    def _log(self, failure: Failure) -> list[str]:
        if not failure.container or not failure.pod:
            return []
        path = f"/api/v1/namespaces/{name(self.namespace)}/pods/{name(failure.pod)}/log"
        for previous in ("true", "false") if failure.previous else ("false",):
            try:
                with self.cluster.stream(
                    path, 10.0, container=failure.container, tailLines=LOG_LINES, previous=previous
                ) as answer:
                    text = answer.read().decode("utf-8", "replace")
            except (PluginError, OSError):
                continue
            return [line[:500] for line in text.splitlines()][-LOG_LINES:]
        return []

    def _list(self, group: str, *kinds: str) -> list[list[Object]]:
        base = f"{group}/namespaces/{name(self.namespace)}"
        return [self.cluster.list(f"{base}/{kind}", labels=f"{PART_OF}={self.app}") for kind in kinds]

    def _read_events(self, pods: Sequence[Object]) -> None:
        """Events of the newest pods that are to become ready: there can be hundreds, and they fail alike."""
        waiting = [pod for pod in pods if _is_of_a_process(pod) and not _is_done(pod)]
        waiting.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
        for pod in waiting[:_EVENTS_OF]:
            events = [
                event
                for subject in (pod["metadata"]["name"], *_claims(pod))
                for event in self._about(subject)
            ]
            self.events[pod["metadata"]["name"]] = sorted(events, key=event_time)

    def _about(self, subject: str) -> list[Object]:
        path = f"/api/v1/namespaces/{name(self.namespace)}/events"
        return self.cluster.list(path, fields=f"involvedObject.name={subject}")


def _is_of_a_process(pod: Object) -> bool:
    """Pods of cron tasks and one-off runs carry the app's labels too, and are never ready once done."""
    return any(owner.get("kind") == "ReplicaSet" for owner in pod["metadata"].get("ownerReferences") or ())


def _is_done(pod: Object) -> bool:
    return is_ready(pod) or is_leaving(pod) or has_ended(pod)


def _claims(pod: Object) -> list[str]:
    """The volume claims that a pod without a node may be waiting for: their events tell of the volumes."""
    if condition(pod, "PodScheduled").get("status") != "False":
        return []
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if "persistentVolumeClaim" in volume
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:600]
