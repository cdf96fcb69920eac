"""Takes a directory out of an app's source, be that a pushed tree or the image that the app was made from.

The source is the user's: links may not lead out of it, only files and directories are taken, and not endlessly.
"""

import os
import stat
import tempfile
from typing import IO

from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.command import run

LIMIT = 16 * 1024 * 1024
"""Bytes in all; far more than a release can hold."""
ENTRIES = 5000
_TIMEOUT = 300.0


def image(app: str) -> str:
    """The image that the app was made from by git:from-image; empty when it has a source tree."""
    return properties.read(app, "source-image", plugin="git").strip()


def copy_tree(tree: str, path: str, target: str) -> bool:
    """Copy `tree`/`path` to `target`, which is made. False when there is no such directory.

    A link to a file of the tree becomes a copy of that file. Errors: PluginError naming what cannot be taken.
    """
    root = os.path.realpath(tree)
    start = os.path.join(root, path)
    if not os.path.isdir(start):
        return False
    _refuse_outside(root, start, path)
    _Copy(root, target).directory(os.path.realpath(start), target, path)
    return True


def copy_from_image(image: str, path: str, target: str) -> bool:
    """The same from an image's working directory. The image need not have a shell. False when it is not there."""
    # a container needs some command; this one is never started
    made = run([_docker(), "create", image, "none"], timeout=_TIMEOUT)
    container = made.stdout.decode().strip()
    try:
        asked = run([_docker(), "container", "inspect", "--format", "{{.Config.WorkingDir}}", container])
        start = os.path.join(asked.stdout.decode().strip() or "/", path)
        with tempfile.TemporaryDirectory() as directory:
            return _fetch(f"{container}:{start}/.", directory, image) and copy_tree(directory, ".", target)
    finally:
        run([_docker(), "rm", "--force", container], check=False)


def _docker() -> str:
    return os.environ.get("DOCKER_BIN") or "docker"


def _fetch(place: str, directory: str, image: str) -> bool:
    """What docker knows at `place`, into `directory`. False when there is no directory."""
    import subprocess
    import tarfile

    from scheduler_k3s.child import Child

    argv = [_docker(), "cp", place, "-"]
    with (
        tempfile.TemporaryFile() as errors,
        Child(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as copying,
    ):
        try:
            _unpack(copying.stdout, directory, f"image {image}")
        except tarfile.ReadError as error:
            copying.wait()
            errors.write(b"" if errors.tell() else str(error).encode())
        finally:
            copying.kill()
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip()
    if any(words in said for words in ("Could not find", "No such", "not a directory")):
        return False
    if said:
        raise PluginError(f"Unable to read files of image {image}: {said}")
    return True


def _unpack(archive: IO[bytes] | None, directory: str, what: str) -> None:
    """Regular files and directories of a tar archive, and relative links as they are: copy_tree judges those."""
    import tarfile

    size = count = 0
    links = {}
    with tarfile.open(fileobj=archive, mode="r|") as entries:
        for entry in entries:
            name = os.path.normpath(entry.name)
            size, count = size + entry.size, count + 1
            if size > LIMIT or count > ENTRIES:
                raise _too_large(what)
            if name.startswith(("/", "..")):
                raise PluginError(f"{entry.name} of {what} is outside of its directory")
            place = os.path.join(directory, name)
            if entry.isdir():
                os.makedirs(place, mode=0o700, exist_ok=True)
            elif entry.issym():
                links[place] = entry.linkname
            elif entry.islnk():
                os.link(os.path.join(directory, os.path.normpath(f"/{entry.linkname}")[1:]), place)
            elif entry.isfile() and (content := entries.extractfile(entry)):
                with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(content.read())
            else:
                raise _special(name)
    # last, so that nothing is written through one
    for place, goal in links.items():
        os.symlink(goal, place)


class _Copy:
    def __init__(self, root: str, target: str) -> None:
        self.root = root
        self.target = target
        self.size = 0
        self.count = 0

    def directory(self, source: str, target: str, shown: str) -> None:
        os.mkdir(target)
        os.chmod(target, 0o755)
        with os.scandir(source) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                name = os.path.normpath(f"{shown}/{entry.name}")
                self.count += 1
                if self.count > ENTRIES:
                    raise _too_large(shown)
                if entry.is_dir(follow_symlinks=False):
                    self.directory(entry.path, f"{target}/{entry.name}", name)
                else:
                    self.file(entry.path, f"{target}/{entry.name}", name)

    def file(self, source: str, target: str, shown: str) -> None:
        path = os.path.realpath(source)
        _refuse_outside(self.root, path, shown)
        try:
            kind = os.stat(path).st_mode
        except OSError as error:
            raise PluginError(f"Unable to read {shown} of the source: {error.strerror}") from None
        if stat.S_ISDIR(kind):
            raise PluginError(
                f"{shown} of the source is a link to a directory: put the files themselves there"
            )
        if not stat.S_ISREG(kind):
            raise _special(shown)
        self.size += os.stat(path).st_size
        if self.size > LIMIT:
            raise _too_large(shown)
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as content:
            mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(target, mode, 0o600), "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content.read())


def _refuse_outside(root: str, path: str, shown: str) -> None:
    real = os.path.realpath(path)
    if real != root and not real.startswith(f"{root}/"):
        raise PluginError(f"{shown} of the source is a link that leads out of it: put the file itself there")


def _special(shown: str) -> PluginError:
    return PluginError(f"{shown} of the source is neither a file nor a directory")


def _too_large(shown: str) -> PluginError:
    return PluginError(
        f"{shown} of the source is too large: at most {ENTRIES} files of {LIMIT // 1024 // 1024} MiB in all are taken"
    )
