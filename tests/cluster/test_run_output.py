"""Output of one-off processes that begins, and ends, before anybody can have attached to them."""

import os
from collections.abc import Iterator

import pytest
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .oneoffs import assert_same, deployed, ended, jobs, run, start
from .terminal import Terminal

pytestmark = pytest.mark.cluster
# long lines: each costs the node a system call, and a slow node loses what is left of a log ten seconds after the end
LINES = b"".join(b"%05d %s\n" % (number, b"=" * 993) for number in range(5_000))
# the node's log keeps no carriage return in front of a newline
RANDOM = os.urandom(5_000_000).replace(b"\r\n", b"  ")
SAME = b"y" * 999 + b"\n"


@pytest.fixture(scope="module")
def name(host: Host) -> Iterator[str]:
    image = images.build("rig/early", files={"app/random": RANDOM, "app/lines": LINES}, cmd=["sleep", "3600"])
    with deployed(host, "early", image, scale="web=0") as made:
        yield made


def test_five_megabytes_at_once_arrive_whole_and_once(host: Host, cluster: Cluster, name: str) -> None:
    scripts = {
        "cat /app/lines; exit 3": (3, LINES),
        f"yes {SAME.decode().strip()} | head -c 5000000": (0, SAME * 5_000),
        "head -c 5000000 /dev/zero": (0, bytes(5_000_000)),
        "cat /app/random": (0, RANDOM),
    }
    running = {script: start(host, "--quiet", "run", name, "sh", "-c", script) for script in scripts}
    both = start(
        host, "--quiet", "run", name, "sh", "-c", "cat /app/lines & cat /app/lines >&2; wait; exit 7"
    )
    for script, (code, expected) in scripts.items():
        found = ended(running[script])
        assert (script, found[0], found[2]) == (script, code, b"")
        assert_same(found[1], expected)
    code, output, errors = ended(both)
    assert code == 7
    in_order = sorted((output + errors).splitlines(keepends=True))
    assert_same(b"".join(in_order), b"".join(sorted(LINES.splitlines(keepends=True) * 2)))
    eventually(lambda: not jobs(cluster, name))


def test_so_do_they_at_a_terminal(host: Host, name: str) -> None:
    terminal = Terminal([str(host.prefix / "bin/dokku"), "--quiet", "run", name, "cat", "/app/lines"])
    assert terminal.end() == 0
    assert_same(terminal.output, LINES.replace(b"\n", b"\r\n"))


def test_input_is_kept_for_a_command_that_talks_first(host: Host, name: str) -> None:
    script = "cat /app/lines; sleep 1; cat; exit 9"
    code, output, errors = run(host, "run", name, "sh", "-c", script, stdin=RANDOM)
    assert (code, errors) == (9, b"")
    assert_same(output, LINES + RANDOM)
