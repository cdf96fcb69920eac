"""The `dependencies` trigger: put the pinned helm, kubectl and Python packages where the plugin looks for them.

What is in place and right is left alone, so it can be repeated at any time. Each part is made under a private name
beside its place and then renamed: a reader finds the old one or the new one, whole.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from scheduler_k3s import log, versions
from scheduler_k3s.dokku import triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import apt, download, private
from scheduler_k3s.tools.command import CommandError, run

_NEW = ".new-"
_PIP_TIMEOUT = 900.0


def install(plugin: str) -> None:
    """`plugin` is the plugin's directory. Errors: PluginError; what was installed before is still there then."""
    os.umask(0o022)
    with _exclusive():
        for wanted in versions.downloads(os.uname().machine):
            _install_program(wanted)
        _install_packages(f"{plugin}/requirements.txt")


def missing(plugin: str) -> list[str]:
    """What is not in place in the pinned version."""
    wanted = versions.downloads(os.uname().machine)
    found = [tool.program for tool in wanted if not _is_current(tool)]
    return found + ([] if _packages_are_current(f"{plugin}/requirements.txt") else ["Python packages"])


@contextmanager
def _exclusive() -> Iterator[None]:
    """Own the prefix: one run at a time, and nothing in it that others could have written."""
    for directory in (private.prefix(), f"{private.prefix()}/bin", f"{private.prefix()}/python"):
        os.makedirs(directory, mode=0o755, exist_ok=True)
        info = os.lstat(directory)
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or info.st_mode & 0o022:
            raise PluginError(
                f"{directory} must be a directory that only root can write, since root runs what is in it. "
                f"Remove it and run: {private.INSTALL}"
            )
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(f"{private.prefix()}/.lock", flags, 0o600), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_leftovers()
        yield


def _remove_leftovers() -> None:
    """What a run that was killed left behind."""
    for directory in (f"{private.prefix()}/bin", f"{private.prefix()}/python"):
        for name in os.listdir(directory):
            if name.startswith(download.PARTIAL):
                os.unlink(f"{directory}/{name}")
            elif name.startswith(_NEW):
                shutil.rmtree(f"{directory}/{name}")


def _install_program(wanted: versions.Download) -> None:
    version = wanted.file.split("-linux-", 1)[0].replace("-v", " ")
    if _is_current(wanted):
        log.detail_quiet(f"{version} is already installed")
        return
    base = os.environ.get(wanted.setting) or triggers.ask("config-get-global", wanted.setting).strip()
    url = f"{(base or wanted.base).rstrip('/')}/{wanted.path}"
    log.step_quiet(f"Installing {version} from {url}")
    try:
        _fetch_program(wanted, url)
    except PluginError as error:
        mirror = f"dokku config:set --global --no-restart {wanted.setting}=<url>"
        raise PluginError(f"{error.message}\nAnother server can be named with: {mirror}") from None


def _fetch_program(wanted: versions.Download, url: str) -> None:
    place = private.location(wanted.program)
    digest = versions.digest(wanted.file)
    directory = os.path.dirname(place)
    with download.verified(url, digest, directory) as path, _unpacked(path, wanted.member, url) as program:
        os.chmod(program, 0o755)
        stamp = f"{digest} {_sha256(program)}\n"
        os.replace(program, place)
    _write(_stamp(wanted), stamp)


@contextmanager
def _unpacked(path: str, member: str, url: str) -> Iterator[str]:
    """The program inside the archive, as a private file beside it; the file itself when it is no archive."""
    if not member:
        yield path
        return
    descriptor, program = tempfile.mkstemp(prefix=download.PARTIAL, dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as file, tarfile.open(path) as archive:
            source = archive.extractfile(member)
            if source is None:
                raise PluginError(f"{url}: {member} is no file in this archive")
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(descriptor)
        yield program
    except (KeyError, tarfile.TarError, EOFError) as error:
        raise PluginError(f"{url} is no archive that holds {member}: {error}") from None
    finally:
        if os.path.lexists(program):
            os.unlink(program)


def _is_current(wanted: versions.Download) -> bool:
    """Whether the program is the one unpacked from the pinned file: the stamp names both digests."""
    place = private.location(wanted.program)
    archive, _, program = _read(_stamp(wanted)).strip().partition(" ")
    return archive == versions.digest(wanted.file) and os.access(place, os.X_OK) and _sha256(place) == program


def _stamp(wanted: versions.Download) -> str:
    return f"{private.prefix()}/bin/.{wanted.program}.sha256"


def _packages_are_current(requirements: str) -> bool:
    return _read(f"{private.packages()}/.requirements.sha256").strip() == _sha256(requirements)


def _install_packages(requirements: str) -> None:
    if _packages_are_current(requirements):
        log.detail_quiet("Python packages are already installed")
        return
    log.step_quiet(f"Installing Python packages into {private.packages()}")
    pip = [sys.executable, "-I", "-m", "pip"]
    try:
        run([*pip, "--version"])
    except CommandError:
        log.step_quiet("Installing pip")
        apt.install("python3-pip")
    with tempfile.TemporaryDirectory(prefix=_NEW, dir=f"{private.prefix()}/python") as new:
        _pip_install(pip, requirements, f"{new}/packages")
        if os.path.lexists(private.packages()):
            os.rename(private.packages(), f"{new}/old")
        os.rename(f"{new}/packages", private.packages())


def _pip_install(pip: list[str], requirements: str, target: str) -> None:
    options = "--quiet --no-input --disable-pip-version-check --no-deps --require-hashes --only-binary :all:"
    run(
        [*pip, "install", *options.split(), "--target", target, "--requirement", requirements],
        env={"PIP_ROOT_USER_ACTION": "ignore"},
        timeout=_PIP_TIMEOUT,
    )
    _write(f"{target}/.requirements.sha256", _sha256(requirements) + "\n")


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1024 * 1024):
            digest.update(block)
    return digest.hexdigest()


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write(path: str, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=download.PARTIAL, dir=os.path.dirname(path))
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(descriptor, 0o644)
        file.flush()
        os.fsync(descriptor)
    os.replace(temporary, path)
