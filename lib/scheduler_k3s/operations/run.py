"""scheduler-run: a command in a pod of its own, made as the app's newest good deploy made its pods.

How the command's input and output reach us is told in operations/attached.py.
"""

import os
import secrets
import sys
from collections.abc import Sequence

from scheduler_k3s import assemble, docker_options, log, oneoff, settings, storage, terminal, values, words
from scheduler_k3s import cron as cron_tasks
from scheduler_k3s.app import App, Image, Resources
from scheduler_k3s.decorations import LABELS
from scheduler_k3s.dokku import decoration_files, facts, properties, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.lines import OutputClosed
from scheduler_k3s.manifests import job
from scheduler_k3s.manifests.cron_job import HASH
from scheduler_k3s.manifests.job import Run
from scheduler_k3s.manifests.secret import named_pull_secrets, pull_secret_name
from scheduler_k3s.oneoff import Result
from scheduler_k3s.operations import attached, place, signals
from scheduler_k3s.operations.place import Place
from scheduler_k3s.operations.run_pod import RunPod
from scheduler_k3s.tools import release
from scheduler_k3s.tools.cluster import Cluster, name
from scheduler_k3s.tools.release import Release

DEFAULT_SHELL = "/bin/bash"
DEADLINE = 86400
_PORT = 5000


def run(app: str, env: Sequence[str], command: Sequence[str]) -> int:
    """Run `command` (none: the app's shell) with the KEY=VALUE pairs `env`; its exit code.

    Detached, the pod's name is printed and nobody waits. Errors: PluginError; the Job is gone then.
    """
    where = place.of(app)
    cluster = where.cluster()
    detached = os.environ.get("DOKKU_DETACH_CONTAINER") == "1"
    tty = terminal.wanted() and (not detached or os.environ.get("DOKKU_FORCE_TTY") == "true")
    wants_input = tty or (not detached and terminal.has_input())
    model, wanted = _model(app, where, cluster, env, command, tty=tty, stdin=wants_input)
    _apply_policy(cluster, where, wanted)
    path = f"/apis/batch/v1/namespaces/{name(where.namespace)}/jobs"
    job_name = job.name(app, wanted)
    pod = RunPod(cluster, where.namespace, job_name)
    with signals.cancellable(f"The run of {app} has been cancelled", shell_code=True):
        kept = False
        try:
            cluster.create(path, job.job(model, wanted))
            pod.start()
            pod.until_made()
            kept = detached
            if detached:
                assert pod.pod is not None
                print(pod.pod["metadata"]["name"], flush=True)
                return 0
            result = _attend(pod, tty=tty, stdin=wants_input)
            if result.reason and _is_overdue(cluster, f"{path}/{name(job_name)}"):
                result = Result(
                    result.code, f"DeadlineExceeded: its time was {wanted.deadline} s (--ttl-seconds)"
                )
        except OutputClosed as closed:
            raise closed.error from None
        finally:
            if not kept:
                _remove(cluster, f"{path}/{name(job_name)}")
    if result.reason:
        log.warn(f"The command of pod {_pod_name(pod)} ended with exit code {result.code}: {result.reason}")
    if triggers.listeners("scheduler-post-run"):
        triggers.fire("scheduler-post-run", "k3s", app, _pod_name(pod), str(result.code))
    return result.code


def _attend(pod: RunPod, *, tty: bool, stdin: bool) -> Result:
    attached.converse(pod, tty=tty, stdin=stdin)
    return pod.until_ended()


def _is_overdue(cluster: Cluster, path: str) -> bool:
    """Whether it was the Job's clock that ended the pod, which looks like any that was deleted."""
    try:
        found = cluster.find(path) or {}
    except PluginError:
        return False
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(item.get("reason") == "DeadlineExceeded" for item in conditions)


def _remove(cluster: Cluster, path: str) -> None:
    """The pod goes with its Job. Cancelled or not, a cluster that is away must not hide what came before."""
    try:
        cluster.copy().delete(path, propagation="Foreground")
    except PluginError as error:
        log.warn(f"Unable to remove the job, it ends by itself: {error.message}")


def _pod_name(pod: RunPod) -> str:
    return str(pod.pod["metadata"]["name"]) if pod.pod else pod.job


def _model(
    app: str,
    where: Place,
    cluster: Cluster,
    env: Sequence[str],
    command: Sequence[str],
    *,
    tty: bool,
    stdin: bool,
) -> tuple[App, Run]:
    """The cluster and dokku are asked at the same time."""
    found: list[Release | None] = []
    mounts: list[dict[str, dict[str, object]]] = []
    pull_secrets: list[str] = []
    own = cluster.copy()
    triggers.together(
        [
            lambda: found.append(_deployed(cluster, where, app)),
            lambda: mounts.extend(facts.parse_mounts(triggers.ask("storage-app-mounts", app, "run"))),
            lambda: pull_secrets.extend(_pull_secrets(own, where, app)),
        ]
    )
    current = found[0]
    if current is None:
        raise PluginError(
            f"{app} has no successful deploy to run from. Deploy it first: dokku ps:rebuild {app}"
        )
    image = Image(
        current.value("global.image.name"),
        current.value("global.image.type") or "dockerfile",
        current.value("global.image.working_dir"),
    )
    if not image.reference:
        raise PluginError(
            f"The release of {app} does not name its image. Deploy it again: dokku ps:rebuild {app}"
        )
    _check_stage(image.reference)
    shm_size = settings.value(app, "shm-size")
    cron_id = os.environ.get("DOKKU_CRON_ID", "")
    type_ = "cron" if cron_id else "run"
    model = App(
        name=app,
        namespace=where.namespace,
        deployment_id=current.value("global.deployment_id"),
        image=image,
        processes=(),
        pull_secrets=pull_secrets,
        stop_timeout=assemble.stop_timeout(
            app, properties.computed(app, "stop-timeout-seconds", "30", plugin="ps")
        ),
        security=docker_options.security(facts.docker_options(app, "run").get(docker_options.DEFAULT, ())),
        mounts=storage.mounts(app, where.namespace, mounts, shm_size),
        shm_size=shm_size,
        annotations=decoration_files.read(app, ""),
        labels=decoration_files.read(app, LABELS),
    )
    return model, Run(
        suffix=secrets.token_hex(5),
        args=_words(app, command),
        type=type_,
        env=_pairs(env),
        resources=_resources(app, type_),
        deadline=_deadline(),
        removed=_is_removed(app),
        stdin=stdin,
        tty=tty,
        cron_id=cron_id,
        cron_hash=cron_tasks.task_hash(cron_id) if cron_id else "",
    )


def _deployed(cluster: Cluster, where: Place, app: str) -> Release | None:
    return release.newest(cluster, where.namespace, app, status="deployed")


def _pull_secrets(cluster: Cluster, where: Place, app: str) -> Sequence[str]:
    if own := named_pull_secrets(settings.value(app, "image-pull-secrets")):
        return own
    managed = pull_secret_name(app)
    path = f"/api/v1/namespaces/{name(where.namespace)}/secrets"
    found = cluster.list(path, fields=f"metadata.name={managed}", metadata_only=True)
    return [managed] if found else []


def _check_stage(image: str) -> None:
    """An image whose release phase has not ended well is not to be run; one that is not here was pushed after it."""
    known = facts.inspect(image)
    labels = ((known or {}).get("Config") or {}).get("Labels") or {}
    if labels.get("com.dokku.image-stage", "release") != "release":
        raise PluginError("Invalid image stage detected: Successfully deploy your app to fix dokku run calls")


def _words(app: str, command: Sequence[str]) -> list[str]:
    if not command:
        return [properties.computed(app, "shell", DEFAULT_SHELL, plugin="scheduler")]
    entry = facts.procfile(app).get(command[0]) if len(command) == 1 else None
    if not entry:
        return list(command)
    _tell(f"-----> Found '{command[0]}' in Procfile, running that command")
    config = facts.parse_config(triggers.ask("config-export", app, "false", "true", "json"))
    variables = {key: value.reveal() for key, value in config.items()} | {"PORT": str(_PORT)}
    try:
        return words.expand(entry, variables)
    except words.WordError as error:
        raise PluginError(
            f"Error getting the command of {command[0]} in the Procfile: {error.message}"
        ) from None


def _tell(text: str) -> None:
    """On stdout for somebody who looks on; what is piped is the command's output alone."""
    if not log.quiet():
        print(text, file=sys.stdout if os.isatty(1) else sys.stderr, flush=True)


def _pairs(env: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for pair in env:
        key, sign, value = pair.partition("=")
        if not key or not sign:
            raise PluginError(f"Invalid environment pair: {key!r}, it must be of the form KEY=VALUE")
        pairs.append((key, value))
    if os.environ.get("DOKKU_TRACE") == "1":
        pairs.append(("TRACE", "true"))
    return pairs


def _resources(app: str, type_: str) -> Resources:
    found = {
        item: properties.read(app, item, plugin="resource") for item in properties.names(app, "resource")
    }
    return assemble.resources(app, found, type_)


def _deadline() -> int:
    text = os.environ.get("DOKKU_RUN_TTL_SECONDS") or str(DEADLINE)
    if not (text.isascii() and text.isdigit() and int(text)):
        raise PluginError(f"Invalid ttl-seconds: {text!r}, it must be a number of seconds such as {DEADLINE}")
    return int(text)


def _is_removed(app: str) -> bool:
    text = os.environ.get("DOKKU_RM_CONTAINER")
    text = text or triggers.ask("config-get", app, "DOKKU_RM_CONTAINER").strip()
    text = text or triggers.ask("config-get-global", "DOKKU_RM_CONTAINER").strip()
    return values.boolean(text) if text else True


def _apply_policy(cluster: Cluster, where: Place, wanted: Run) -> None:
    """What the task's concurrency policy says of runs that have not ended, those by schedule included."""
    policy = os.environ.get("DOKKU_CONCURRENCY_POLICY", "").lower()
    if not wanted.cron_id or policy not in ("forbid", "replace"):
        return
    base = f"/api/v1/namespaces/{name(where.namespace)}/pods"
    busy = [
        pod["metadata"]["name"]
        for pod in cluster.list(base, labels=f"{HASH}={wanted.cron_hash}")
        if oneoff.result(pod, deleted=False) is None
    ]
    if busy and policy == "forbid":
        raise PluginError(
            f"The task is running already, and its concurrency policy forbids another run: {', '.join(busy)}"
        )
    for pod in busy:
        cluster.delete(f"{base}/{name(pod)}")
