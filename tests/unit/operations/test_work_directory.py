"""Where a command that holds the cluster puts what it fetches."""

import signal
import subprocess
import sys
from pathlib import Path

from scheduler_k3s.operations import work_directory

LIB = str(Path(__file__).parents[3] / "lib")
PROGRAM = """import sys, time; from scheduler_k3s.operations import work_directory
with work_directory.below(sys.argv[1]) as directory:
    open(f"{directory}/k3s", "w").close()
    print("there", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    parent = tmp_path / "data [1]"
    parent.mkdir()
    (parent / "of somebody else").touch()
    argv = [sys.executable, "-c", PROGRAM, str(parent)]
    with subprocess.Popen(argv, env={"PYTHONPATH": LIB}, stdout=subprocess.PIPE) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == b"there\n"
        killed.send_signal(signal.SIGKILL)
    (left,) = parent.glob(".fetched-*/k3s")
    with work_directory.below(str(parent)) as directory:
        assert Path(directory).stat().st_mode & 0o777 == 0o700
        assert not left.exists()
    assert [path.name for path in parent.iterdir()] == ["of somebody else"]
