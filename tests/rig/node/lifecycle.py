"""Start, stop and status of the node."""

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from rig.node import build, certificates, cgroups, configs, health, network, objects, parts, processes, traces
from rig.node.model import CGROUP, DOCKER_SOCKET, HOST
from rig.node.processes import Part
from rig.paths import CACHE, KUBECONFIG, STATE


class NodeError(Exception):
    """The node cannot be started; the message says what to do."""


@dataclass(frozen=True)
class Step:
    """Something that is done once the steps in `after` are done."""

    name: str
    run: Callable[[], None]
    after: tuple[str, ...] = ()


def start(traefik: int = 3) -> None:
    """Brings up what is not running and healthy, with the resource definitions of this Traefik version.

    Raises NodeError or PartError.
    """
    _require_root()
    with _lock():
        if is_healthy() and objects.traefik_version() == traefik:
            return
        if not build.is_built():
            raise NodeError(
                "parts of the node are missing: run `python -m rig.node build` (or `make node-build`)"
            )
        _prepare()
        _run_steps(_steps(traefik))


def stop() -> None:
    """Ends the node and takes every trace of it away."""
    _require_root()
    with _lock():
        if not STATE.exists():
            return
        names = processes.recorded()
        first = [name for name in names if name.startswith(("kubelet", "kube-", "ingress", "nginx"))]
        for group in (first, [name for name in names if name not in first]):
            with ThreadPoolExecutor() as pool:
                list(pool.map(processes.end, group))
        traces.remove()


def cut_power() -> None:
    """Ends Kubernetes and its pods without a farewell; `start` brings the same cluster back. docker, the registries and
    the router stay."""
    _require_root()
    with _lock():
        for part in (*parts.node_parts(HOST), *parts.control_plane()):
            processes.end(part.name, seconds=0)
        traces.end_containers()


def status() -> list[tuple[str, bool, str]]:
    """Name, health and a remark of every part."""
    rows = []
    for part in all_parts():
        pid = processes.pid_of(part.name)
        healthy = part.healthy() if pid else False
        rows.append((part.name, healthy, f"pid {pid}" if pid else "not running"))
    if not _docker_is_ours():
        rows.append(("docker", health.docker_answers(DOCKER_SOCKET), f"not the rig's own, {DOCKER_SOCKET}"))
    rows.append(("node", objects.node_is_ready(HOST), HOST.name))
    return rows


def is_healthy() -> bool:
    return KUBECONFIG.exists() and all(healthy for _, healthy, _ in status())


def all_parts() -> list[Part]:
    docker = [parts.docker()] if _docker_is_ours() else []
    return [*parts.control_plane(), *parts.node_parts(HOST), *parts.registries(), *docker, parts.ingress()]


def _docker_is_ours() -> bool:
    """A docker daemon that was there before us is used as it is."""
    return processes.pid_of("docker") is not None or not health.docker_answers(DOCKER_SOCKET)


def _prepare() -> None:
    traces.remember()
    traces.apply_settings()
    network.make_bridge()
    for name in (HOST.cgroup, f"{CGROUP}/docker"):
        cgroups.make(name)
    certificates.make_cluster_certificates()
    certificates.make_node_certificates(HOST)
    configs.write(HOST)
    configs.write_registries()


def _steps(traefik: int) -> list[Step]:
    steps = [Step(part.name, partial(processes.bring_up, part), part.after) for part in all_parts()]
    return [
        *steps,
        Step("pause image", partial(objects.import_pause_image, HOST), ("containerd",)),
        Step("custom resources", partial(objects.apply_custom_resources, traefik), ("kube-apiserver",)),
        Step("cluster objects", objects.apply_cluster_objects, ("kube-apiserver", "pause image")),
        Step(
            "node", partial(objects.wait_for_node, HOST), ("kubelet", "kube-proxy", "kube-controller-manager")
        ),
    ]


def _run_steps(steps: list[Step]) -> None:
    """Runs each step in a thread of its own, after those that it needs; the first error is the one raised."""
    done: dict[str, Future[None]] = {step.name: Future() for step in steps}

    def run(step: Step) -> None:
        try:
            for name in step.after:
                done[name].result()
            step.run()
        except BaseException as error:
            done[step.name].set_exception(error)
        else:
            done[step.name].set_result(None)

    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        list(pool.map(run, steps))
    for future in done.values():
        future.result()


@contextmanager
def _lock() -> Iterator[None]:
    """One start or stop at a time; the lock is on the cache folder, which outlives the node."""
    CACHE.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(CACHE, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _require_root() -> None:
    if os.geteuid() != 0:
        raise NodeError("the node needs root: it makes network links, mounts and cgroups")
