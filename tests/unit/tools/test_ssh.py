"""ssh to a real server on loopback: what reaches the other side, what is left there, and what refusals say."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rig import sshd
from scheduler_k3s.errors import PluginError
from scheduler_k3s.remote_host import RemoteHost
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import ssh, ssh_keys
from scheduler_k3s.tools.command import CommandError
from unit.dokku_host import Host


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    with sshd.server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def place(dokku: Host, server: sshd.Server) -> RemoteHost:
    """A host that dokku knows and that knows dokku."""
    keys = dokku.root / ".ssh"
    keys.mkdir()
    shutil.copy(server.identity, keys / "id_ed25519")
    (keys / "known_hosts").write_text(server.known_hosts)
    return RemoteHost("root", "127.0.0.1", server.port)


def until(condition: Callable[[], object]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def refusal(place: RemoteHost) -> str:
    with pytest.raises(PluginError) as raised, ssh.connected(place):
        pass
    assert "Traceback" not in raised.value.message
    return raised.value.message


def test_every_word_arrives_as_it_was(place: RemoteHost) -> None:
    words = ["eviction-hard=memory.available<200Mi", "$(id) `id` $HOME", "a;b|c>d&", "'\"\\", "", "ä\n*", "~"]
    with ssh.connected(place) as remote:
        done = remote.run(["sh", "-c", 'for word; do printf "%s\\0" "$word"; done', "sh", *words])
        assert done.stdout.decode().split("\0")[:-1] == words


def test_a_file_arrives_whole_with_its_mode(place: RemoteHost, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    path = tmp_path / "deep" / "file with 'blank'"
    with ssh.connected(place) as remote:
        remote.put(str(path), content)
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (content, 0o600)
        remote.put(str(path), b"", "0755")
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"", 0o755)
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_that_cannot_be_written_leaves_the_old_one(place: RemoteHost, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with (
        ssh.connected(place) as remote,
        pytest.raises(PluginError, match=r"^Unable to write .*/file on 127.0.0.1: .*chmod"),
    ):
        remote.put(str(path), b"secret", "no mode")
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir() if entry.is_file()] == [
        ("file", "old")
    ]


def test_the_exit_status_counts(place: RemoteHost, capfd: pytest.CaptureFixture[str]) -> None:
    with ssh.connected(place) as remote:
        remote.stream("greeting", ["sh", "-c", "echo out; echo canary >&2"], 10, [Secret("canary")])
        assert capfd.readouterr() == ("       out\n       ***\n", "")
        with pytest.raises(
            PluginError, match=r"^Invalid exit code from apt-get update command over ssh: 100$"
        ):
            remote.stream("apt-get update", ["sh", "-c", "exit 100"], 10)
        with pytest.raises(CommandError, match=r"^ssh failed with exit code 3: what it said$"):
            remote.script("echo what it said >&2; exit 3")


def test_the_private_directory_is_gone_in_the_end(place: RemoteHost) -> None:
    with pytest.raises(KeyError), ssh.connected(place) as remote:
        directory = Path(remote.directory)
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "file").write_text("x")
        raise KeyError
    until(lambda: not directory.exists())


def test_a_command_that_takes_too_long_is_ended(place: RemoteHost, tmp_path: Path) -> None:
    script = f"echo $$ >{tmp_path}/pid; sleep 60 & wait"
    with (
        ssh.connected(place) as remote,
        pytest.raises(PluginError, match=r"^Unable to call it command over ssh: no end after 1 seconds$"),
    ):
        remote.stream("it", ["sh", "-c", script], 1)
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not _group(pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_remote_command_ends_with_us(place: RemoteHost, tmp_path: Path, number: int) -> None:
    """Also when nobody could tell it: the other side notices that its input has ended. Here nothing is left either."""
    program = (
        "import sys; from scheduler_k3s.tools import ssh; from scheduler_k3s.remote_host import RemoteHost\n"
        "from scheduler_k3s.operations import signals\n"
        "with signals.cancellable('cancelled'), "
        "ssh.connected(RemoteHost('root', '127.0.0.1', int(sys.argv[1]))) as remote:\n"
        "    remote.stream('it', ['sh', '-c', sys.argv[2]], 60)\n"
    )
    script = f"echo $$ >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 60 & wait"
    # the name of a socket must be short, which pytest's directories are not
    with tempfile.TemporaryDirectory(dir="/tmp") as here:
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(place.port), script],
            env={**os.environ, "PYTHONPATH": "lib", "TMPDIR": here},
            cwd=Path(__file__).parents[3],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until((tmp_path / "pid").exists)
        pid = int((tmp_path / "pid").read_text())
        assert _group(pid)
        assert [path.stat().st_mode & 0o777 for path in Path(here).iterdir()] == [0o700]
        child.send_signal(number)
        child.communicate(timeout=30)
        until(lambda: not _group(pid))
        until(lambda: not _clients(place.port))
        until(lambda: not list(Path(here).iterdir()))


def _group(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def _clients(port: int) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].startswith(b"ssh") and str(port).encode() in words:
            found.append(path.parent.name)
    return found


def test_a_lost_connection_is_said(place: RemoteHost) -> None:
    with ssh.connected(place) as remote:
        (connection,) = _clients(place.port)
        with pytest.raises(
            PluginError, match=r"^Unable to call it command over ssh: the connection was lost$"
        ):
            remote.stream("it", ["sh", "-c", f"kill -KILL {connection}; sleep 60"], 30)


def test_an_unknown_key(place: RemoteHost, dokku: Host, server: sshd.Server) -> None:
    known = dokku.root / ".ssh/known_hosts"
    known.unlink()
    message = refusal(place)
    assert f"The ssh key of [127.0.0.1]:{place.port} is not known" in message
    assert f"ssh-keyscan -p {place.port} 127.0.0.1" in message
    assert known.stat().st_mode & 0o777 == 0o600
    assert known.read_text() == ""


def test_an_unknown_key_is_recorded_when_that_is_wanted(
    place: RemoteHost, dokku: Host, server: sshd.Server, capsys: pytest.CaptureFixture[str]
) -> None:
    known = dokku.root / ".ssh/known_hosts"
    known.write_text("other ssh-ed25519 AAAA\n")
    with ssh.connected(place, accept_new=True):
        pass
    said = capsys.readouterr().err
    assert said.startswith(f" !     Recorded the ssh key of [127.0.0.1]:{place.port} unseen: ED25519 SHA256:")
    assert known.read_text() == "other ssh-ed25519 AAAA\n" + server.known_hosts
    with ssh.connected(place, accept_new=True):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("accept_new", [False, True])
def test_a_changed_key_is_never_accepted(
    place: RemoteHost, dokku: Host, server: sshd.Server, tmp_path: Path, accept_new: bool
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    (dokku.root / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{place.port} {other}\n")
    with (
        pytest.raises(PluginError, match=r"is not the one that dokku knows.*ssh-keygen -R"),
        ssh.connected(place, accept_new),
    ):
        pass


def test_no_key_of_our_own(place: RemoteHost, dokku: Host) -> None:
    (dokku.root / ".ssh/id_ed25519").unlink()
    assert refusal(place).startswith("ssh key not found at ~/.ssh/id_ed25519 or ~/.ssh/id_rsa")


@pytest.mark.parametrize("passphrase", ["", "locked"])
def test_a_key_that_is_not_accepted(place: RemoteHost, dokku: Host, passphrase: str) -> None:
    key = dokku.root / ".ssh/id_ed25519"
    key.unlink()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", key], check=True)
    message = refusal(place)
    assert f"does not accept the key {key}" in message
    assert "authorized_keys" in message


def test_nobody_listens(place: RemoteHost) -> None:
    assert refusal(place._replace(port=1)).endswith("Connection refused")


def test_a_user_who_may_not_become_root(place: RemoteHost) -> None:
    said = ssh_keys.refusal(place._replace(user="admin"), "sudo: a password is required\n")
    assert said.startswith(f"admin@[127.0.0.1]:{place.port} may not become root without a password (sudo: a ")
    assert "admin ALL=(root) NOPASSWD: ALL" in said


def test_rsa_when_there_is_no_other(place: RemoteHost, dokku: Host) -> None:
    (dokku.root / ".ssh/id_ed25519").rename(dokku.root / ".ssh/id_rsa")
    with ssh.connected(place) as remote:
        assert remote.script("id -u") == "0\n"
