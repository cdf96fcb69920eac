"""How helm is called, ended and cleaned up after. A script plays helm: it tells what it was given."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.errors import Cancelled, PluginError
from scheduler_k3s.operations.signals import cancellable
from scheduler_k3s.tools import helm
from scheduler_k3s.tools.command import CommandError
from scheduler_k3s.tools.helm import Helm, Target, Upgrade

LIB = str(Path(helm.__file__).parents[2])
TARGET = Target("/etc/kubeconfig", "prod")
ECHO = 'printf "%s\\n" "$@"; env | grep ^HELM_ | sort\n'
WAIT = 'trap "echo recorded; exit 1" TERM; echo ready >"$READY"; while :; do sleep 0.02; done\n'
DEAF = 'trap "" TERM; echo ready >"$READY"; while :; do sleep 0.02; done\n'
CHART = {"Chart.yaml": "{}\n", "templates/objects.yaml": "x", "objects.json": "caf\u00e9\r\n"}


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """helm's place; a test writes the script."""
    path = tmp_path / "tools/bin/helm"
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setenv("READY", str(tmp_path / "ready"))
    os.mkfifo(tmp_path / "ready")
    yield path


def play(tool: Path, script: str) -> None:
    tool.write_text(f"#!/bin/sh\n{script}")
    tool.chmod(0o755)


@pytest.fixture
def runner(tool: Path, tmp_path: Path) -> Iterator[Helm]:
    (tmp_path / "app").mkdir()
    play(tool, ECHO)
    with helm.session(TARGET, str(tmp_path / "app")) as runner:
        yield runner


def lines(upgrade: Upgrade) -> list[str]:
    assert upgrade.ended(30)
    return upgrade.output().splitlines()


COMMON = ["--server-side=false", "--cleanup-on-fail", "--history-max=10", "--disable-openapi-validation"]
WHERE = ["--kubeconfig=/etc/kubeconfig", "--kube-context=prod"]


def test_how_a_release_is_written_without_waiting(runner: Helm) -> None:
    words = lines(runner.upgrade("shop", "prod-ns", CHART))
    chart = Path(words[3])
    assert words[:11] == [
        "upgrade",
        "--install",
        "shop",
        str(chart),
        "--namespace",
        "prod-ns",
        *COMMON,
        WHERE[0],
    ]
    assert words[11] == WHERE[1]
    assert chart.name == "shop"
    assert str(chart).startswith(f"{runner.directory}/")


@pytest.mark.parametrize(
    ("wait", "timeout"), [(300.0, "300.000s"), (0.5, "0.500s"), (1_234_567.0, "1234567.000s")]
)
def test_how_a_release_is_waited_for(runner: Helm, wait: float, timeout: str) -> None:
    words = lines(runner.upgrade("shop", "ns", CHART, wait=wait))
    assert words[10:12] == ["--wait=legacy", f"--timeout={timeout}"]
    assert "--rollback-on-failure" not in words


def test_rollback_is_asked_for(runner: Helm) -> None:
    assert "--rollback-on-failure" in lines(runner.upgrade("shop", "ns", CHART, wait=1, rollback=True))
    words = lines(runner.rollback("shop", "ns", 60))
    assert words[:8] == [
        "rollback",
        "shop",
        "--namespace",
        "ns",
        "--server-side=false",
        "--wait=legacy",
        "--timeout=60.000s",
        "--history-max=10",
    ]


def test_helm_lives_in_a_directory_of_its_own(runner: Helm) -> None:
    words = lines(runner.upgrade("shop", "ns", CHART))
    homes = dict(line.split("=") for line in words if line.startswith("HELM_"))
    for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"):
        assert homes[name].startswith(f"{runner.directory}/")


def test_without_a_context_the_kubeconfig_s_own_counts(tool: Path, tmp_path: Path) -> None:
    play(tool, ECHO)
    with helm.session(Target("/k", ""), str(tmp_path)) as runner:
        assert not any("--kube-context" in word for word in lines(runner.upgrade("shop", "ns", CHART)))


def test_a_chart_is_written_as_it_is_and_for_nobody_else(runner: Helm) -> None:
    old = os.umask(0)
    try:
        chart = Path(lines(runner.upgrade("shop", "ns", CHART))[3])
    finally:
        os.umask(old)
    for name, text in CHART.items():
        assert (chart / name).read_bytes() == text.encode()
        assert (chart / name).stat().st_mode & 0o777 == 0o600
    for directory in (Path(runner.directory), chart.parent):
        assert directory.stat().st_mode & 0o077 == 0


def test_uninstalling_tells_whether_there_was_anything(tool: Path, runner: Helm) -> None:
    play(tool, 'printf "%s\\n" "$@" >"$0.words"; echo "release \\"shop\\" uninstalled"\n')
    assert runner.uninstall("ns", "shop", "config-shop")
    assert Path(f"{tool}.words").read_text().split() == [
        "uninstall",
        "shop",
        "config-shop",
        "--namespace",
        "ns",
        "--cascade=foreground",
        "--ignore-not-found",
        *WHERE,
    ]
    play(tool, 'echo "Release not found: shop" >&2\n')
    assert not runner.uninstall("ns", "shop", "config-shop")
    play(tool, "echo 'Error: forbidden' >&2; exit 1\n")
    with pytest.raises(CommandError, match="helm failed with exit code 1: Error: forbidden"):
        runner.uninstall("ns", "shop", "config-shop")


def test_a_failure_carries_helm_s_words(tool: Path, runner: Helm) -> None:
    play(tool, "echo out; echo 'Error: no' >&2; exit 3\n")
    upgrade = runner.upgrade("shop", "ns", CHART)
    assert upgrade.ended(30)
    assert upgrade.code == 3
    with pytest.raises(CommandError, match="Error: no") as raised:
        upgrade.check()
    assert raised.value.code == 3


def test_a_missing_helm_names_the_command_that_installs_it(tmp_path: Path, tool: Path) -> None:
    with (
        helm.session(TARGET, str(tmp_path)) as runner,
        pytest.raises(PluginError, match="plugin:install-dependencies"),
    ):
        runner.upgrade("shop", "ns", CHART)


# the end of helm


def ready() -> None:
    """Wait until the script has its handlers."""
    with open(os.environ["READY"]) as fifo:
        assert fifo.read() == "ready\n"


def test_helm_is_asked_to_end_so_that_it_records(tool: Path, runner: Helm) -> None:
    play(tool, WAIT)
    upgrade = runner.upgrade("shop", "ns", CHART)
    ready()
    assert not upgrade.ended(0.05)
    upgrade.abort(0)
    assert (upgrade.code, upgrade.output()) == (1, "recorded")
    upgrade.abort(0)


def test_helm_that_does_not_end_is_killed(tool: Path, runner: Helm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm, "_GRACE", 0.1)
    play(tool, DEAF)
    upgrade = runner.upgrade("shop", "ns", CHART)
    ready()
    upgrade.abort(0)
    assert upgrade.code == -signal.SIGKILL


def test_helm_does_not_outlive_a_signal_that_comes_while_it_starts(tool: Path, runner: Helm) -> None:
    play(tool, WAIT)
    begun = []

    def start() -> Upgrade:
        begun.append(runner.upgrade("shop", "ns", CHART))
        ready()
        signal.raise_signal(signal.SIGTERM)
        return begun[0]

    with pytest.raises(Cancelled), cancellable("stop"), helm.started(start):
        pytest.fail("the signal is lost")
    assert (begun[0].code, begun[0].output()) == (1, "recorded")


def test_a_signal_to_our_group_is_not_helm_s(tool: Path, runner: Helm) -> None:
    play(tool, "cut -d' ' -f5 /proc/$$/stat\n")
    assert lines(runner.upgrade("shop", "ns", CHART)) != [str(os.getpgrp())]


def test_helm_inherits_the_lock_and_nothing_to_read(tool: Path, tmp_path: Path) -> None:
    play(tool, "cat; readlink /proc/self/fd/$LOCK\n")
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.environ["LOCK"] = str(descriptor)
    try:
        with helm.session(TARGET, str(tmp_path), (descriptor,)) as runner:
            assert lines(runner.upgrade("shop", "ns", CHART)) == [str(tmp_path / "lock")]
            play(tool, 'readlink /proc/self/fd/$LOCK >"$0.lock"\n')
            runner.uninstall("ns", "shop")
            assert Path(f"{tool}.lock").read_text() == f"{tmp_path}/lock\n"
    finally:
        os.close(descriptor)
        del os.environ["LOCK"]


# the private directory


def test_nothing_is_left_behind(tool: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    play(tool, ECHO)
    with pytest.raises(KeyError), helm.session(TARGET, str(tmp_path / "app")) as runner:
        runner.upgrade("shop", "ns", CHART).ended(30)
        raise KeyError
    assert list((tmp_path / "app").iterdir()) == []


SESSION = """
import sys
from scheduler_k3s.tools import helm
with helm.session(helm.Target("", ""), sys.argv[1]) as runner:
    open(runner.directory + "/secret", "w").write("hush")
    print(runner.directory, flush=True)
    sys.stdin.readline()
"""


def test_what_a_killed_session_left_goes_with_the_next(tmp_path: Path) -> None:
    kept = tmp_path / "helm.lock"
    kept.touch()
    argv = [sys.executable, "-c", SESSION, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": LIB}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as child:
        assert child.stdout is not None
        left = Path(child.stdout.readline().strip())
        child.kill()
    assert (left / "secret").read_text() == "hush"
    with helm.session(TARGET, str(tmp_path)) as runner:
        assert not left.exists()
        assert Path(runner.directory).exists()
    assert list(tmp_path.iterdir()) == [kept]


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with (
        pytest.raises(PluginError, match=f"Unable to write to {tmp_path}: No space left on device"),
        helm.session(TARGET, str(tmp_path)),
    ):
        pytest.fail("went on without a directory")


def test_a_disk_that_is_nearly_full_is_told_before_helm_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm, "_ROOM", 2**60)
    with (
        pytest.raises(
            PluginError, match=rf"^Unable to write to {tmp_path}: its file system has \d+ MiB left"
        ),
        helm.session(Target("/k", ""), str(tmp_path)),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_no_other_directory_has_to_be_writable(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tool, "echo said\n")
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    with helm.session(Target("/k", ""), str(tmp_path)) as runner:
        upgrade = runner.upgrade("shop", "default", {"Chart.yaml": "{}"})
        assert lines(upgrade) == ["said"]
