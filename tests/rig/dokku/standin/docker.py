"""The docker client, as dokku's builders use it."""

import os

from . import log, process
from .log import Fail


def _argv(*words: str) -> list[str]:
    return [os.environ.get("DOCKER_BIN", "docker"), *words]


def run(*words: str) -> None:
    """Shows docker's output; stdin is never the user's."""
    if code := process.run(_argv(*words), stdin_null=True):
        raise Fail(f"docker {words[0]} failed", code)


def answer(*words: str) -> tuple[int, str]:
    """Exit code and stdout of a call whose failure is part of the answer."""
    try:
        code, output, errors = process.piped(_argv(*words), show_output=False, show_errors=False)
    except Fail as failure:
        code, output, errors = failure.code, "", failure.message
    if code:
        log.debug(errors.strip())
    return code, output.strip()


def must_answer(*words: str) -> str:
    code, output, _ = process.piped(_argv(*words), show_output=False)
    if code:
        raise Fail(f"docker {words[0]} failed")
    return output.strip()


def exists(image: str) -> bool:
    return answer("image", "inspect", image)[0] == 0


def config(image: str) -> dict[str, object]:
    """The image's `.Config`; empty if the image is not on this host."""
    import json

    code, output = answer("image", "inspect", "--format", "{{json .Config}}", image)
    found: dict[str, object] = {} if code else json.loads(output) or {}
    return found


def remove_labelled(label: str) -> None:
    """Removes all images with the label, as far as they are not in use."""
    names = answer("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"label={label}")[
        1
    ].split()
    tagged = [name for name in names if "<none>" not in name]
    if tagged:
        answer("image", "rm", "--force", *tagged)
    answer("image", "prune", "--force", "--filter", f"label={label}")


def pull(image: str) -> None:
    """Refreshes an image of a named registry; elsewhere the local copy is good enough."""
    host_part = image.partition("/")[0] if "/" in image else ""
    named = "." in host_part or ":" in host_part
    if exists(image) and (not named or answer("pull", image)[0] == 0):
        return
    if not exists(image):
        run("pull", image)


def file_of_image(image: str, path: str) -> str | None:
    """The text of a file of the image, relative to its workdir; None if it is not there."""
    import tarfile

    workdir = str(config(image).get("WorkingDir") or "/")
    container = must_answer("create", image, "/bin/true")
    try:
        archive = f"{os.environ.get('TMPDIR', '/tmp')}/standin.{os.getpid()}.{os.urandom(6).hex()}.tar"
        descriptor = os.open(archive, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(archive)
        source = f"{container}:{os.path.join(workdir, path)}"
        pid = os.posix_spawnp(
            _argv()[0],
            _argv("cp", "--follow-link", source, "-"),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, descriptor, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
        )
        if os.waitpid(pid, 0)[1]:
            return None
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(descriptor, "rb") as file, tarfile.open(fileobj=file) as contents:
            member = contents.next()
            extracted = contents.extractfile(member) if member and member.isfile() else None
            return extracted.read().decode(errors="surrogateescape") if extracted else None
    finally:
        answer("rm", "-f", container)


def derive(source: str, target: str, labels: dict[str, str], instructions: str = "") -> None:
    """Builds `target` as a copy of `source` with labels added and Dockerfile instructions applied."""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "Dockerfile"), "w") as file:
            file.write(f"FROM {source}\n{instructions}")
        build(directory, target, labels)


def build(directory: str, target: str, labels: dict[str, str]) -> None:
    words = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    code, output, errors = process.piped(
        _argv("build", "--quiet", *words, "--tag", target, directory),
        env={"DOCKER_BUILDKIT": "0"},
        show_output=False,
        show_errors=False,
    )
    if code:
        raise Fail(f"docker build failed: {output}{errors}".strip())
