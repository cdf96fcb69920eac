"""Container images without a registry to start from: Debian's static busybox and files, packed in Python."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from functools import cache
from typing import Any

BUSYBOX = "/bin/busybox"
_FOLDERS = ("bin", "etc", "tmp", "app", "root", "proc", "sys", "dev", "var/run")
_ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}


def busybox_image(tag: str, files: Mapping[str, str | bytes], config: Mapping[str, Any]) -> bytes:
    """A `docker load` archive: busybox with all its commands, `files`, and the image configuration `config`.

    `config` is the image's own (Cmd, Entrypoint, Env, ExposedPorts, Labels, User, WorkingDir), as the OCI image
    specification has it. A file below a `bin` or `cgi-bin` folder, or that begins with `#!`, is executable.
    """
    layer = _layer(files)
    image = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], **config},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "created": "2024-01-01T00:00:00Z",
        "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "rig"}],
    }
    image_json = json.dumps(image, sort_keys=True).encode()
    name = f"{hashlib.sha256(image_json).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": ["layer/layer.tar"]}]).encode()
    return _tar({name: image_json, "layer/layer.tar": layer, "manifest.json": manifest})


def _layer(files: Mapping[str, str | bytes]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as layer:
        for folder in _FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            layer.addfile(entry)
        layer.add(BUSYBOX, arcname="bin/busybox", filter=_anonymous)
        for name in _commands():
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            layer.addfile(link)
        for path, content in sorted({**_ACCOUNTS, **files}.items()):
            _add(layer, path.lstrip("/"), content.encode() if isinstance(content, str) else content)
    return output.getvalue()


def _add(layer: tarfile.TarFile, path: str, content: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(content)
    executable = content.startswith(b"#!") or path.split("/")[-2:-1] in (["bin"], ["cgi-bin"])
    entry.mode = 0o755 if executable else 0o644
    layer.addfile(entry, io.BytesIO(content))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def _tar(files: Mapping[str, bytes]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for path, content in files.items():
            _add(archive, path, content)
    return output.getvalue()


@cache
def _commands() -> list[str]:
    answer = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True, timeout=10)
    return [name for name in answer.stdout.split() if name != "busybox"]
