"""Which pod is entered, and what is said of those that cannot be."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.api_server import Api, Pod, serve
from unit.dokku_host import Host

TRIGGER = Path(__file__).parents[3] / "triggers" / "scheduler-enter"


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


def enter(*words: str) -> str:
    """What is said on stderr. No process is reached here: the API that answers knows no exec."""
    argv = [str(TRIGGER), "k3s", "demo", *words, "--", "true"]
    done = subprocess.run(
        argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def entered(api: Api, *words: str) -> str:
    enter(*words)
    return api.paths("/exec")[-1][0].split("/")[-2]


def leaving(pod: Pod) -> Pod:
    made = pod.object
    pod.object = lambda: {**made(), "metadata": {**made()["metadata"], "deletionTimestamp": "x"}}  # type: ignore[method-assign]
    return pod


def test_pods_that_are_done_or_leave_are_not_chosen(api: Api) -> None:
    api.add(Pod("demo-web-a"), leaving(Pod("demo-web-b", running=True)))
    api.add(Pod("demo-web-c", running=True), Pod("demo-web-d", running=True))
    api.add(Pod("demo-run-a", kind="run", running=True), Pod("demo-work-a", kind="work", running=True))
    assert entered(api, "web") == "demo-web-c"
    assert entered(api, "web.2") == "demo-web-d"
    assert entered(api, "work") == "demo-work-a"
    assert entered(api) == "demo-web-c", "a process, no one-off run"
    assert entered(api, "run") == "demo-run-a"
    assert entered(api, "--container-id", "demo-run-a") == "demo-run-a"
    assert enter("web.3") == " !     There is no web.3 of app demo, only web.1 to web.2\n"
    assert enter("work.2") == " !     There is no work.2 of app demo, only work.1\n"
    known = "demo-run-a, demo-web-c, demo-web-d, demo-work-a"
    assert enter("x") == f" !     No pods found for app demo, process x. Running pods: {known}\n"
    assert "does not run" in enter("--container-id", "demo-web-a")
    assert "No pod demo-web-z found for app demo" in enter("--container-id", "demo-web-z")


def test_a_pod_that_starts_is_waited_for(api: Api) -> None:
    pod = Pod("demo-web-a", running=True)
    pod.waiting = "ContainerCreating"
    api.add(pod)

    def start(method: str, path: str, query: dict[str, str]) -> None:
        if path.endswith("/demo-web-a"):
            pod.waiting = ""

    api.faults.append(start)
    assert entered(api, "web") == "demo-web-a"


def test_one_that_does_not_start_is_given_up_with_its_reason(api: Api) -> None:
    pod = Pod("demo-web-a", running=True)
    pod.waiting = "ImagePullBackOff"
    api.add(pod)
    assert enter("web") == " !     Pod demo-web-a of app demo does not run: ImagePullBackOff\n"
