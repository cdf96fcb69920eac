"""`scheduler-logs` as dokku calls it, against an API on loopback that drops connections and gains and loses pods."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import logs
from unit.api_server import Api, Pod, Query, serve, stamp
from unit.dokku_host import Host

TRIGGER = Path(__file__).parents[3] / "triggers" / "scheduler-logs"
MEMORY = 64 * 1024
"""KiB that the process may take, whatever the pods write."""


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        yield served


class Logs:
    """A running `scheduler-logs k3s demo ...`."""

    def __init__(
        self, process: str = "", tail: bool = False, quiet: bool = False, count: int = 100, **env: str
    ) -> None:
        words = ["k3s", "demo", process, str(tail).lower(), str(quiet).lower(), str(count)]
        self.child = subprocess.Popen(
            [TRIGGER, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **env},
        )

    def end(self) -> tuple[int, bytes, str]:
        output, errors = self.child.communicate(timeout=120)
        return self.child.returncode, output, errors.decode()

    def measured(self) -> tuple[int, bytes, int]:
        """Exit code, output and the most memory it took, in KiB.

        What wait4 tells would count ours too, which the child had before it became another program.
        """
        assert self.child.stdout is not None
        output, peak = b"", 0
        while data := self.child.stdout.read1(65536):  # type: ignore[attr-defined]
            output += data
            peak = max(peak, self._peak())
        return self.child.wait(), output, peak

    def _peak(self) -> int:
        """The kernel's high-water mark of the program that runs now."""
        lines = Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)

    def read(self, length: int) -> bytes:
        """So many bytes of output, as soon as they are there."""
        assert self.child.stdout is not None
        data = b""
        while len(data) < length:
            assert select.select([self.child.stdout], [], [], 60)[0], f"only {data!r} came"
            piece = os.read(self.child.stdout.fileno(), length - len(data))
            assert piece, f"ended after {data!r}"
            data += piece
        return data


def prefixed(pod: str, *lines: bytes) -> bytes:
    return b"".join(b"app[%s]: %s" % (pod.encode(), line) for line in lines)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_pods_come_one_after_the_other_by_name(api: Api) -> None:
    api.add(
        Pod("demo-web-b", b"1\n", b"2\n"),
        Pod("demo-web-a", b"3\n"),
        Pod("demo-worker-a", b"4\n", kind="worker"),
    )
    api.add(Pod("other-web", b"5\n", app="other"))
    expected = prefixed("demo-web-a", b"3\n") + prefixed("demo-web-b", b"1\n", b"2\n")
    assert Logs("web").end() == (0, expected, "")
    assert Logs().end() == (0, expected + prefixed("demo-worker-a", b"4\n"), "")


def test_the_number_of_lines_is_per_pod_and_none_means_all(api: Api) -> None:
    api.add(Pod("demo-web-a", *(b"%d\n" % number for number in range(9))), Pod("demo-web-b", b"x\n"))
    assert Logs(count=2).end()[1] == prefixed("demo-web-a", b"7\n", b"8\n") + prefixed("demo-web-b", b"x\n")
    assert len(Logs(count=0).end()[1].splitlines()) == 10


def test_a_number_picks_one_pod(api: Api) -> None:
    api.add(Pod("demo-web-a", b"a\n"), Pod("demo-web-b", b"b\n"), Pod("demo-web-c", b"c\n"))
    assert Logs("web.2").end() == (0, prefixed("demo-web-b", b"b\n"), "")
    assert Logs("web.2", tail=True).end() == (0, prefixed("demo-web-b", b"b\n"), "")
    code, output, errors = Logs("web.4").end()
    assert (code, output) == (1, b"")
    assert (
        errors
        == " !     There is no web.4, only web.1 (demo-web-a), web.2 (demo-web-b), web.3 (demo-web-c)\n"
    )


@pytest.mark.parametrize(
    "process", ["web.0", "web.x", "web.-1", ".1", "web.", "a,b", "a=b", "a b", "x" * 64, "web.\u00b2"]
)
def test_what_is_no_process_never_reaches_a_selector(process: str) -> None:
    with pytest.raises(PluginError, match="Invalid process"):
        logs.parse_process(process)


@pytest.mark.parametrize("tail", [False, True])
def test_without_pods_there_is_an_error(api: Api, tail: bool) -> None:
    api.add(Pod("other-web", b"5\n", app="other"))
    assert Logs(tail=tail).end() == (1, b"", " !     No pods found matching specified labels\n")


AWKWARD = (
    b"\xff\xfe\x00 not utf-8\r\n",
    b"\n",
    b"x" * 1_000_000 + b"\n",
    b"%s {{ }} \033[0m\n",
    b"no newline",
)


@pytest.mark.parametrize("tail", [False, True])
def test_bytes_pass_as_they_are_and_a_last_newline_is_added(api: Api, tail: bool) -> None:
    api.add(Pod("demo-web-a", *AWKWARD))
    assert Logs(tail=tail, quiet=True).end()[1] == b"".join(AWKWARD) + b"\n"
    assert Logs(tail=tail).end()[1] == prefixed("demo-web-a", *AWKWARD) + b"\n"


def test_prefixes_are_coloured_by_position_when_asked_for(api: Api) -> None:
    api.add(*(Pod(f"demo-web-{letter}", b"x\n") for letter in "abcdefg"))
    output = Logs(FORCE_TTY="1").end()[1].splitlines()
    colours = [line.partition(b"m")[0] for line in output]
    assert colours == [b"\033[%d" % code for code in (31, 33, 32, 36, 34, 35, 31)]
    assert output[0] == b"\033[31mapp[demo-web-a]: \033[0mx"
    assert b"\033" not in Logs(FORCE_TTY="0").end()[1]


def test_prefixes_are_coloured_on_a_terminal(api: Api) -> None:
    api.add(Pod("demo-web-a", b"x\n"))
    ours, theirs = pty.openpty()
    subprocess.run([TRIGGER, "k3s", "demo", "", "false", "false", "100"], stdout=theirs, check=True)
    assert os.read(ours, 1000).startswith(b"\033[31m")
    os.close(ours)
    os.close(theirs)


def test_pods_that_have_not_started_are_passed_over_with_the_reason(api: Api) -> None:
    waiting = Pod("demo-web-b")
    waiting.waiting = "ImagePullBackOff"
    api.add(Pod("demo-web-a", b"x\n"), waiting)
    code, output, errors = Logs().end()
    assert (code, output) == (0, prefixed("demo-web-a", b"x\n"))
    assert errors == " !     Skipping pod demo-web-b, which has no log yet: ImagePullBackOff\n"
    api.remove(api.pods["demo-web-a"])
    code, output, errors = Logs().end()
    assert (code, output) == (1, b"")
    assert errors.splitlines()[-1] == " !     None of the pods has a log yet"


def test_the_annotated_container_is_the_one_that_talks(api: Api) -> None:
    pod, plain = Pod("demo-web-a", b"x\n"), Pod("demo-web-b", b"y\n")
    pod.containers = ["sidecar", "demo-web"]
    pod.annotations = {"kubectl.kubernetes.io/default-container": "demo-web"}
    plain.annotations = {"kubectl.kubernetes.io/default-container": "gone"}
    api.add(pod, plain)
    assert Logs().end()[0] == 0
    assert [query["container"] for _, query in sorted(api.paths("/log"), key=str)] == ["demo-web", "app"]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(api: Api, code: int) -> None:
    api.add(Pod("demo-web-a", b"x\n"))
    left = [code, code]
    api.faults.append(
        lambda method, path, query: (left.pop(), "try again") if path.endswith("/log") and left else None
    )
    assert Logs().end() == (0, prefixed("demo-web-a", b"x\n"), "")
    assert left == []


@pytest.mark.parametrize("tail", [False, True])
@pytest.mark.parametrize(("code", "hint"), [(401, "may have expired"), (403, "needs that permission")])
def test_a_refusal_is_one_message(api: Api, code: int, hint: str, tail: bool) -> None:
    api.add(*(Pod(f"demo-web-{number}", b"x\n") for number in range(20)))
    api.faults.append(lambda method, path, query: (code, "no") if path.endswith("/log") else None)
    exit_code, output, errors = Logs(tail=tail).end()
    assert (exit_code, output, len(errors.splitlines())) == (1, b"", 1)
    assert hint in errors


def test_a_log_that_breaks_off_is_said_to_be_incomplete(api: Api) -> None:
    pod = Pod("demo-web-a", b"one\n", b"two\n")
    pod.drops = [6]
    api.add(pod, Pod("demo-web-b", b"x\n"))
    code, output, errors = Logs().end()
    assert (code, output) == (0, prefixed("demo-web-a", b"one\n", b"tw\n") + prefixed("demo-web-b", b"x\n"))
    assert errors.startswith(" !     The log of pod demo-web-a is not complete")


def test_five_hundred_pods_are_all_there_in_little_memory(api: Api) -> None:
    names = [f"demo-web-{number:03}" for number in range(500)]
    api.add(*(Pod(name, *(b"%s line %d\n" % (name.encode(), line) for line in range(20))) for name in names))
    code, output, memory = Logs().measured()
    assert code == 0
    assert output == b"".join(
        prefixed(name, *(b"%s line %d\n" % (name.encode(), line) for line in range(20))) for name in names
    )
    assert 0 < memory < MEMORY


def test_five_hundred_pods_are_followed_in_whole_lines_and_little_memory(api: Api) -> None:
    pods = [Pod(f"demo-web-{number:03}", running=True) for number in range(500)]
    api.add(*pods)
    running = Logs(tail=True)
    until(lambda: len(api.paths("/log")) == 500)
    for turn in range(4):
        with api.changing():
            for pod in pods:
                pod.lines.append((stamp(turn), b"%s turn %d %s\n" % (pod.name.encode(), turn, b"z" * 500)))
    with api.changing():
        for pod in pods:
            pod.running = False
            api.modify(pod)
    code, output, memory = running.measured()
    expected = [prefixed(pod.name, line) for pod in pods for _, line in pod.lines]
    assert sorted(output.splitlines(keepends=True)) == sorted(expected)
    assert code == 0
    assert 0 < memory < MEMORY


def test_following_takes_in_pods_that_come_later_from_their_beginning(api: Api) -> None:
    first = Pod("demo-web-a", b"old\n", b"new\n", running=True)
    api.add(first)
    running = Logs(tail=True, count=1)
    assert running.read(len(prefixed("demo-web-a", b"new\n"))) == prefixed("demo-web-a", b"new\n")
    second = Pod("demo-web-b", b"begin\n", b"more\n", running=True)
    until(lambda: any("watch" in query for _, query in api.paths("/pods")))
    api.add(second)
    expected = prefixed("demo-web-b", b"begin\n", b"more\n")
    assert running.read(len(expected)) == expected
    api.remove(first)
    api.remove(second)
    assert running.end() == (0, b"", "")


def test_following_waits_for_pods_that_have_not_started(api: Api) -> None:
    late, here = (
        Pod("demo-web-a", b"late\n", b"later\n", running=True),
        Pod("demo-web-b", b"here\n", running=True),
    )
    late.waiting = "ContainerCreating"
    api.add(late, here)
    running = Logs(tail=True, count=1)
    assert running.read(len(prefixed("demo-web-b", b"here\n"))) == prefixed("demo-web-b", b"here\n")
    with api.changing():
        late.waiting = ""
        api.modify(late)
    expected = prefixed("demo-web-a", b"late\n", b"later\n")
    assert running.read(len(expected)) == expected
    api.remove(late)
    api.remove(here)
    assert running.end() == (0, b"", " !     Waiting for pod demo-web-a: ContainerCreating\n")


def test_a_container_that_starts_again_is_followed_on(api: Api) -> None:
    pod = Pod("demo-web-a", b"first\n", running=True)
    api.add(pod)
    running = Logs(tail=True, quiet=True)
    assert running.read(6) == b"first\n"
    with api.changing():
        pod.start, pod.lines = 2, [(stamp(0), b"second\n")]
        api.modify(pod)
    assert running.read(7) == b"second\n"
    api.remove(pod)
    assert running.end() == (0, b"", "")


@pytest.mark.parametrize("drops", [[1], [40, 40, 41], [35, 200, 3000], [0, 10, 36_000, 100]])
def test_a_lost_connection_repeats_and_loses_nothing(api: Api, drops: list[int]) -> None:
    pod = Pod("demo-web-a", *(b"line %d\n" % number for number in range(2000)), running=True)
    pod.drops = list(drops)
    api.add(pod)
    expected = b"".join(line for _, line in pod.lines)
    running = Logs(tail=True, quiet=True, count=0)
    assert running.read(len(expected)) == expected
    with api.changing():
        pod.lines.append((stamp(900), b"last\n"))
    assert running.read(5) == b"last\n"
    api.remove(pod)
    assert running.end() == (0, b"", "")
    assert pod.drops == []


def test_an_expired_watch_is_begun_again(api: Api) -> None:
    pod = Pod("demo-web-a", b"x\n", running=True)
    api.add(pod)
    failed: list[Query] = []

    def fault(method: str, path: str, query: Query) -> tuple[int, str] | None:
        if "watch" in query and not failed:
            failed.append(query)
            return 410, "too old resource version"
        return None

    api.faults.append(fault)
    running = Logs(tail=True, quiet=True)
    assert running.read(2) == b"x\n"
    until(lambda: bool(failed))
    later = Pod("demo-web-b", b"y\n", running=True)
    api.add(later)
    assert running.read(2) == b"y\n"
    api.remove(pod)
    api.remove(later)
    assert running.end() == (0, b"", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_silently(api: Api, number: signal.Signals) -> None:
    api.add(*(Pod(f"demo-web-{letter}", b"x\n", running=True) for letter in "abc"))
    running = Logs(tail=True, quiet=True)
    assert running.read(6) == b"x\nx\nx\n"
    running.child.send_signal(number)
    assert running.end() == (128 + number, b"", "")


def test_it_ends_when_nobody_reads_even_if_nothing_is_written(api: Api) -> None:
    api.add(Pod("demo-web-a", b"x\n", running=True))
    running = Logs(tail=True, quiet=True)
    assert running.read(2) == b"x\n"
    assert running.child.stdout is not None and running.child.stderr is not None
    running.child.stdout.close()
    assert running.child.wait(60) == 141
    assert running.child.stderr.read() == b""


def test_a_reader_that_leaves_early_ends_it(api: Api) -> None:
    api.add(*(Pod(f"demo-web-{number}", *(b"y" * 10_000 + b"\n" for _ in range(50))) for number in range(30)))
    running = Logs(count=0)
    assert running.read(3) == b"app"
    assert running.child.stdout is not None
    running.child.stdout.close()
    assert running.child.wait(60) == 141


def test_an_absent_cluster_is_one_message(dokku: Host, tmp_path: Path) -> None:
    dokku.store("--global", "kubeconfig-path", str(tmp_path / "none"))
    code, output, errors = Logs().end()
    assert (code, output) == (1, b"")
    assert (
        errors
        == f" !     Unable to create kubernetes client: kubeconfig {tmp_path}/none cannot be used: it does not exist\n"
    )
