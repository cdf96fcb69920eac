"""Container images of the tests: made here from busybox, put into docker and into the rig's registry.

The sample app (`sample()`) shows what a deploy has to get right; see `tests/rig/sample`.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rig import archives
from rig.target import REGISTRY

SAMPLE = Path(__file__).parent / "sample"
SAMPLE_NAME = "rig/sample"
_SECONDS = 120


class ImageError(Exception):
    """docker refused; the message has its words."""


def build(
    name: str,
    *,
    files: Mapping[str, str | bytes] | None = None,
    cmd: Sequence[str] = (),
    entrypoint: Sequence[str] = (),
    workdir: str = "/app",
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    expose: Sequence[str | int] = (),
    user: str = "",
    push: bool = True,
) -> str:
    """Makes `<registry>/<name>` (tag `latest` unless named) of busybox and `files`, and returns that reference.

    `files` maps paths in the image to their content; `expose` takes `5000` or `"53/udp"`.
    Raises ImageError.
    """
    reference = f"{REGISTRY}/{name}" if ":" in name else f"{REGISTRY}/{name}:latest"
    config: dict[str, object] = {
        "Env": [
            "PATH=/usr/local/bin:/usr/bin:/bin",
            *(f"{key}={value}" for key, value in (env or {}).items()),
        ],
        "WorkingDir": workdir,
        "Labels": dict(labels or {}),
        "ExposedPorts": {port if "/" in str(port) else f"{port}/tcp": {} for port in expose},
        "User": user,
    }
    config |= {key: list(words) for key, words in (("Cmd", cmd), ("Entrypoint", entrypoint)) if words}
    docker("load", "--quiet", stdin=archives.busybox_image(reference, files or {}, config))
    if push:
        docker("push", "--quiet", reference)
    return reference


def sample(
    tag: str = "latest",
    *,
    greeting: str = "hello",
    labels: Mapping[str, str] | None = None,
    app_json: Mapping[str, object] | None = None,
) -> str:
    """The sample app's image: a web server, a worker, a program that crashes, a Procfile and an app.json in /app.

    `app_json` are further sections of that.
    """
    files = {
        f"app/{path.relative_to(SAMPLE)}": path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()
    }
    if app_json:
        files["app/app.json"] = json.dumps({**json.loads(files["app/app.json"]), **app_json}).encode()
    return build(
        f"{SAMPLE_NAME}:{tag}",
        files=files,
        cmd=["/app/bin/web"],
        env={"GREETING": greeting},
        labels=labels,
    )


def docker(*arguments: str, stdin: bytes | None = None) -> str:
    """Runs the docker client against the rig's daemon and returns its output. Raises ImageError."""
    result = subprocess.run(
        ["docker", "--host", "unix:///run/docker.sock", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    if result.returncode:
        raise ImageError(f"docker {' '.join(arguments)}: {result.stderr.decode(errors='replace')}")
    return result.stdout.decode(errors="replace")
