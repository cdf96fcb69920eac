"""The `dependencies` trigger as it runs: real archives and wheels, from servers on loopback.

The programs are small scripts under the names and in the archives of the real ones; the Python packages are one
wheel made here. The real requirements are installed by the host tests.
"""

import base64
import hashlib
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s import versions
from unit.dokku_host import Host
from unit.file_server import FileServer, file_server

ROOT = Path(__file__).parents[3]
PACKAGES = subprocess.run(
    ["/usr/bin/python3", "-c", "import sys; print(sys.implementation.cache_tag)"],
    capture_output=True, text=True, check=True,
).stdout.strip()  # fmt: skip
HELM, KUBECTL = versions.downloads(os.uname().machine)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="root alone may install tools and name their digests"
)


def archive(member: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, data in (("LICENSE", b"text"), ("../escape", b"x"), (member, content)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name == member:
                info.type, info.mode = kind, 0o4777
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def wheel() -> bytes:
    """A package `tiny` that holds one number."""
    contents = {
        "tiny.py": b"NUMBER = 7\n",
        "tiny-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "tiny-1.0.dist-info/RECORD"
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in contents.items()
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in {**contents, record: "\n".join([*lines, f"{record},,"]).encode()}.items():
            file.writestr(name, data)
    return buffer.getvalue()


class Setup:
    def __init__(self, base: Path, files: FileServer, wheels: Path) -> None:
        self.tools = base / "tools"
        self.files = files
        self.plugin = base / "plugin"
        (self.plugin / "triggers").mkdir(parents=True)
        (self.plugin / "triggers/dependencies").write_bytes((ROOT / "triggers/dependencies").read_bytes())
        (self.plugin / "triggers/dependencies").chmod(0o755)
        (self.plugin / "lib").symlink_to(ROOT / "lib")
        self.digests = base / "digests"
        self.environment = {
            **os.environ,
            "DOKKU_SCHEDULER_K3S_TOOLS": str(self.tools),
            "DOKKU_SCHEDULER_K3S_DIGESTS": str(self.digests),
            HELM.setting: files.url,
            KUBECTL.setting: f"{files.url}/",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
        }
        self.serve(b"#!/bin/sh\necho helm one\n", b"#!/bin/sh\necho kubectl one\n")
        self.require(wheels, "tiny-1.0-py3-none-any.whl")

    def serve(self, helm: bytes, kubectl: bytes) -> None:
        packed = archive(HELM.member, helm)
        self.files.serve(f"/{HELM.path}", packed)
        self.files.serve(f"/{KUBECTL.path}", kubectl)
        pairs = ((HELM.file, packed), (KUBECTL.file, kubectl))
        self.digests.write_text(
            "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in pairs)
        )

    def require(self, wheels: Path, name: str) -> None:
        digest = hashlib.sha256((wheels / name).read_bytes()).hexdigest()
        (self.plugin / "requirements.txt").write_text(f"tiny==1.0 --hash=sha256:{digest}\n")

    def run(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.plugin / "triggers/dependencies"],
            capture_output=True, text=True, check=False, env=self.environment | environment,
        )  # fmt: skip

    def says(self, program: str) -> str:
        return subprocess.run(
            [self.tools / "bin" / program], capture_output=True, text=True, check=True
        ).stdout

    def leftovers(self) -> list[str]:
        return [
            path.name for path in self.tools.glob("*/.*") if path.name.startswith((".download-", ".new-"))
        ]


@pytest.fixture
def setup(dokku: Host, tmp_path: Path) -> Iterator[Setup]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "tiny-1.0-py3-none-any.whl").write_bytes(wheel())
    with file_server() as files:
        yield Setup(tmp_path, files, wheels)


def test_everything_gets_to_its_place_and_is_not_fetched_again(setup: Setup) -> None:
    done = setup.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["helm", "kubectl", "Python"]
    assert setup.says("helm") == "helm one\n"
    assert setup.says("kubectl") == "kubectl one\n"
    for path in ("", "bin", "python", "bin/helm", "bin/kubectl", f"python/{PACKAGES}"):
        info = (setup.tools / path).stat()
        assert (info.st_mode & 0o7777, info.st_uid) == (0o755, 0), path
    program = (
        f"import sys; sys.path.append('{setup.tools}/python/{PACKAGES}'); import tiny; print(tiny.NUMBER)"
    )
    assert (
        subprocess.run(["/usr/bin/python3", "-IS", "-c", program], capture_output=True, check=True).stdout
        == b"7\n"
    )
    assert not (setup.tools / "escape").exists()
    assert sorted(setup.files.asked) == sorted([f"/{HELM.path}", f"/{KUBECTL.path}"])
    before = {path: path.stat().st_mtime_ns for path in setup.tools.rglob("*")}
    again = setup.run()
    assert (again.returncode, len(setup.files.asked)) == (0, 2)
    assert {path: path.stat().st_mtime_ns for path in setup.tools.rglob("*")} == before
    assert setup.leftovers() == []


def test_a_hostile_umask_changes_nothing(setup: Setup) -> None:
    before = os.umask(0o077)
    try:
        assert setup.run().returncode == 0
    finally:
        os.umask(before)
    for path in setup.tools.rglob("*"):
        if path.name != ".lock":
            assert path.stat().st_mode & 0o005, path


def test_a_changed_program_is_replaced(setup: Setup) -> None:
    setup.run()
    (setup.tools / "bin/helm").write_text("#!/bin/sh\necho tampered\n")
    (setup.tools / "bin/kubectl").unlink()
    assert setup.run().returncode == 0
    assert setup.says("helm") == "helm one\n"
    assert setup.says("kubectl") == "kubectl one\n"


def test_new_pins_bring_new_programs(setup: Setup) -> None:
    setup.run()
    setup.serve(b"#!/bin/sh\necho helm two\n", b"#!/bin/sh\necho kubectl one\n")
    assert setup.run().returncode == 0
    assert setup.says("helm") == "helm two\n"
    assert setup.files.asked.count(f"/{KUBECTL.path}") == 1


@pytest.mark.parametrize(
    ("member", "kind"),
    [("linux-other/helm", tarfile.REGTYPE), (HELM.member, tarfile.DIRTYPE)],
    ids=["other", "folder"],
)
def test_an_archive_without_the_program_changes_nothing(setup: Setup, member: str, kind: bytes) -> None:
    setup.run()
    packed = archive(member, b"", kind)
    setup.files.serve(f"/{HELM.path}", packed)
    setup.digests.write_text(f"{hashlib.sha256(packed).hexdigest()}  {HELM.file}\n")
    done = setup.run()
    assert done.returncode == 1
    assert HELM.member in done.stderr
    assert "Traceback" not in done.stderr
    assert setup.says("helm") == "helm one\n"
    assert setup.leftovers() == []


def test_a_failed_download_says_how_to_name_another_server(setup: Setup) -> None:
    setup.files.answers.pop(f"/{HELM.path}")
    done = setup.run()
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f" !     {setup.files.url}/{HELM.path} answered 404 Not Found",
        f" !     Another server can be named with: dokku config:set --global --no-restart {HELM.setting}=<url>",
    ]
    assert not (setup.tools / "bin/helm").exists()


def test_a_wrong_digest_is_never_installed(setup: Setup) -> None:
    setup.digests.write_text(f"{'0' * 64}  {HELM.file}\n")
    done = setup.run()
    assert done.returncode == 1
    assert "has the sha256 digest" in done.stderr
    assert os.listdir(setup.tools / "bin") == []


def test_the_server_may_stand_in_dokku_s_global_configuration(setup: Setup, dokku: Host) -> None:
    script = f'#!/bin/sh\n[ "$1" = {HELM.setting} ] && printf %s "{setup.files.url}" || true\n'
    dokku.listener("config", "config-get-global", script)
    del setup.environment[HELM.setting]
    assert setup.run().returncode == 0
    assert setup.says("helm") == "helm one\n"


def test_packages_with_another_hash_are_refused_and_the_old_ones_stay(setup: Setup) -> None:
    setup.run()
    (setup.plugin / "requirements.txt").write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    done = setup.run()
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert (setup.tools / f"python/{PACKAGES}/tiny.py").exists()
    assert setup.run(PIP_FIND_LINKS="/nowhere").returncode == 1
    assert setup.leftovers() == []


@pytest.mark.parametrize("mode", [0o775, 0o777])
def test_a_place_that_others_can_write_is_not_used(setup: Setup, mode: int) -> None:
    (setup.tools / "bin").mkdir(parents=True)
    (setup.tools / "bin").chmod(mode)
    done = setup.run()
    assert done.returncode == 1
    assert f"{setup.tools}/bin must be a directory that only root can write" in done.stderr
    assert setup.files.asked == []


def test_a_link_planted_in_the_way_is_not_followed(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    setup.tools.mkdir()
    (setup.tools / "bin").symlink_to(tmp_path / "elsewhere")
    assert setup.run().returncode == 1
    assert os.listdir(tmp_path / "elsewhere") == []


def test_what_a_killed_run_left_is_removed(setup: Setup) -> None:
    (setup.tools / "bin").mkdir(parents=True)
    (setup.tools / "bin/.download-abc").touch()
    (setup.tools / "python/.new-abc/packages").mkdir(parents=True)
    assert setup.run().returncode == 0
    assert setup.leftovers() == []


def test_digests_that_others_can_write_are_not_trusted(setup: Setup) -> None:
    setup.digests.chmod(0o666)
    done = setup.run()
    assert done.returncode == 1
    assert "not trusted" in done.stderr
    assert setup.run(DOKKU_SCHEDULER_K3S_DIGESTS="/nowhere").stderr.startswith(
        " !     Unable to read the digests"
    )


def test_two_runs_at_once_do_not_disturb_each_other(setup: Setup) -> None:
    runs = [
        subprocess.Popen(
            [setup.plugin / "triggers/dependencies"],
            env=setup.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    assert [(run.communicate()[1], run.returncode) for run in runs] == [(b"", 0)] * 3
    assert len(setup.files.asked) == 2


def test_the_pins_have_a_digest_for_both_machines() -> None:
    for machine in ("x86_64", "aarch64"):
        for wanted in versions.downloads(machine):
            assert len(bytes.fromhex(versions.DIGESTS[wanted.file])) == 32
    assert len(set(versions.DIGESTS.values())) == len(versions.DIGESTS) == 4


def test_another_machine_is_refused_by_name() -> None:
    from scheduler_k3s.errors import PluginError

    with pytest.raises(PluginError, match="riscv64"):
        versions.downloads("riscv64")
