"""scheduler-enter: a command in a running container of the app."""

import contextlib
import time
from collections.abc import Sequence

from scheduler_k3s import pods, terminal
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.lines import OutputClosed
from scheduler_k3s.operations import place, runs
from scheduler_k3s.operations.logs import parse_process
from scheduler_k3s.operations.run import DEFAULT_SHELL
from scheduler_k3s.pods import Pod
from scheduler_k3s.tools import remote
from scheduler_k3s.tools.cluster import Cluster, name

_BUILDER = "dokku.com/builder-type"
_ONE_OFF = ("run", "cron")
_NAME = "app.kubernetes.io/name"
_WAIT = 10.0
_TURN = 0.5


def enter(app: str, process: str, container_id: str, command: Sequence[str]) -> int:
    """Run `command` (none: the app's shell) in the pod that `process` (`web`, `web.2`) or `container_id` names.

    Its exit code. Errors: PluginError for a pod that does not exist or does not run.
    """
    where = place.of(app)
    cluster = where.cluster()
    base = f"/api/v1/namespaces/{name(where.namespace)}/pods"
    found = sorted(cluster.list(base, labels=f"app.kubernetes.io/part-of={app}"), key=pods.name)
    pod = _by_name(app, found, container_id) if container_id else _by_process(app, found, process)
    path = f"{base}/{name(pods.name(pod))}"
    _until_running(cluster, path, pod, app)
    words = list(command) or [properties.computed(app, "shell", DEFAULT_SHELL, plugin="scheduler")]
    if (pod["metadata"].get("annotations") or {}).get(_BUILDER) == "herokuish":
        words = ["/exec", *words]
    return execute(cluster, path, pods.container(pod), words)


def _until_running(cluster: Cluster, path: str, pod: Pod | None, app: str) -> None:
    """Errors: PluginError for a pod that does not run soon, or never again."""
    deadline = time.monotonic() + _WAIT
    wanted = path.rpartition("/")[2]
    while pod is None or not (pods.running(pod) and _is_usable(pod)):
        if pod is None or not _is_usable(pod) or time.monotonic() > deadline:
            why = "it was deleted" if pod is None else pods.waiting_reason(pod)
            raise PluginError(f"Pod {wanted} of app {app} does not run: {why}")
        time.sleep(_TURN)
        pod = cluster.find(path)


def execute(cluster: Cluster, path: str, container: str, words: Sequence[str]) -> int:
    """Run the words in a container with our streams; the exit code. Errors: PluginError when it was not to be."""
    tty = terminal.wanted()
    stdin = tty or terminal.has_input()
    try:
        opened = remote.execute(cluster, path, container, words, tty=tty, stdin=stdin)
    except remote.NoEndOfInput:
        return _kubectl(cluster, path, container, words)
    with contextlib.closing(opened) as session:
        try:
            with session.terminal():
                ended = session.run(_print)
        except OutputClosed as closed:
            raise closed.error from None
    if ended.code is None:
        raise PluginError(f"Unable to run the command in {path.rpartition('/')[2]}: {ended.message}")
    return ended.code


def _kubectl(cluster: Cluster, path: str, container: str, words: Sequence[str]) -> int:
    """For servers before Kubernetes 1.30: kubectl speaks to them in a way that can tell the end of input."""
    import subprocess

    from scheduler_k3s.tools import private

    known = cluster.connection
    namespace, pod = path.split("/")[4:7:2]
    argv = [private.path("kubectl"), f"--kubeconfig={known.path}", f"--context={known.context}"]
    argv += [f"--namespace={namespace}", "exec", "-i", pod, f"--container={container}", "--", *words]
    code = subprocess.call(argv)
    return code if code >= 0 else 128 - code


def _print(channel: int, data: bytes) -> None:
    try:
        terminal.write(2 if channel == remote.STDERR else 1, data)
    except OSError as error:
        raise OutputClosed(error) from None


def _by_name(app: str, found: Sequence[Pod], wanted: str) -> Pod:
    for pod in found:
        if wanted in (pods.name(pod), runs.shown_name(app, pod)):
            return pod
    raise PluginError(f"No pod {wanted} found for app {app}. {_known(found)}")


def _by_process(app: str, found: Sequence[Pod], process: str) -> Pod:
    kind, position = parse_process(process)
    usable = [pod for pod in found if _is_usable(pod) and (_kind(pod) == kind if kind else _is_process(pod))]
    if not usable:
        of = f", process {kind}" if kind else ""
        raise PluginError(f"No pods found for app {app}{of}. {_known(found)}")
    if position > len(usable):
        raise PluginError(
            f"There is no {kind}.{position} of app {app}, only {kind}.1 to {kind}.{len(usable)}"
            if len(usable) > 1
            else f"There is no {kind}.{position} of app {app}, only {kind}.1"
        )
    return usable[position - 1] if position else next(filter(pods.running, usable), usable[0])


def _kind(pod: Pod) -> str:
    return str((pod["metadata"].get("labels") or {}).get(_NAME) or "")


def _is_process(pod: Pod) -> bool:
    return _kind(pod) not in _ONE_OFF


def _is_usable(pod: Pod) -> bool:
    """Whether it runs, or may run soon."""
    return not pods.ended(pod) and not pod["metadata"].get("deletionTimestamp")


def _known(found: Sequence[Pod]) -> str:
    running = [pods.name(pod) for pod in found if _is_usable(pod) and pods.running(pod)]
    more = f" and {len(running) - 10} more" if len(running) > 10 else ""
    return f"Running pods: {', '.join(running[:10])}{more}" if running else "None of its pods is running"
