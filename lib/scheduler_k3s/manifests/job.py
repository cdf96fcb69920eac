"""The Job of a one-off process: one pod, one try."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scheduler_k3s.app import App, Resources
from scheduler_k3s.manifests import pod, security
from scheduler_k3s.manifests.cron_job import HASH, ID, SUFFIX
from scheduler_k3s.manifests.literal import literal
from scheduler_k3s.manifests.metadata import MANAGED, Object, added, triplet

KEPT_SECONDS = 60


@dataclass(frozen=True)
class Run:
    """One one-off process. `type` is `run` or `cron`; `suffix` ends its name; `deadline` is in seconds.

    `removed` says whether the cluster forgets the Job soon after its end. With `stdin` the process reads what is
    sent to it, until the sender leaves; `tty` gives it a terminal.
    """

    suffix: str
    args: Sequence[str]
    type: str = "run"
    env: Sequence[tuple[str, str]] = ()
    resources: Resources = field(default_factory=dict)
    deadline: int = 86400
    removed: bool = True
    stdin: bool = False
    tty: bool = False
    cron_id: str = ""
    cron_hash: str = ""


def name(app: str, run: Run) -> str:
    return f"{app}-{run.type}-{run.suffix}"


def job(app: App, run: Run) -> Object:
    labels = triplet(app.name, run.type)
    annotations = {
        "app.kubernetes.io/version": app.deployment_id,
        "dokku.com/builder-type": app.image.kind,
        SUFFIX: run.suffix,
        "kubectl.kubernetes.io/default-container": _container_name(app, run),
    }
    if run.cron_id:
        labels[HASH] = annotations[HASH] = run.cron_hash
        annotations[ID] = run.cron_id
    spec: Object = {
        "activeDeadlineSeconds": run.deadline,
        "backoffLimit": 0,
        "template": {"metadata": _metadata(app, run, "pod", labels, annotations), "spec": _pod(app, run)},
    }
    if run.removed:
        spec["ttlSecondsAfterFinished"] = KEPT_SECONDS
    head = _metadata(app, run, "job", labels, annotations)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name(app.name, run), "namespace": app.namespace, **head},
        "spec": spec,
    }


def _metadata(
    app: App, run: Run, resource: str, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> Object:
    return {
        "labels": {**labels, **added(app.labels, resource, run.type)},
        "annotations": {**MANAGED, **annotations, **added(app.annotations, resource, run.type)},
    }


def _pod(app: App, run: Run) -> Object:
    return {
        **pod.pod(app, _container(app, run)),
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": app.stop_timeout,
    }


def _container(app: App, run: Run) -> Object:
    container = pod.container(app, _container_name(app, run), run.args, run.resources)
    container["env"] = [{"name": key, "value": literal(value)} for key, value in run.env]
    container["securityContext"] = {"privileged": False, **security.container_context(app)}
    if app.image.kind == "herokuish":
        container["command"] = ["/exec"]
    if run.stdin:
        container.update(stdin=True, stdinOnce=True)
    if run.tty:
        container["tty"] = True
    return container


def _container_name(app: App, run: Run) -> str:
    return f"{app.name}-{run.type}"
