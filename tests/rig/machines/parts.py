"""What a machine sees of this one, read-only: the parts that a real k3s carries inside itself, and the packages."""

import tempfile
from pathlib import Path

from rig import archives
from rig.machines import image
from rig.machines.model import APT_REPOSITORY, IMAGES, PARTS
from rig.node.model import PAUSE_IMAGE
from rig.node.versions import CLIENTS, ETCD, kubernetes_folder

_PROGRAMS = (
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/ctr",
    "/usr/sbin/runc",
    "/bin/busybox",
)


def seen() -> dict[str, str]:
    """Paths here, and where they are in a machine."""
    folders = {
        str(image.repository()): APT_REPOSITORY,
        str(kubernetes_folder()): f"{PARTS}/kubernetes",
        str(ETCD.folder): f"{PARTS}/etcd",
        str(CLIENTS.folder): f"{PARTS}/clients",
        "/usr/lib/cni": f"{PARTS}/cni",
        str(_pause_image()): f"{PARTS}/pause.tar",
    }
    return folders | {program: f"{PARTS}/bin/{Path(program).name}" for program in _PROGRAMS}


def _pause_image() -> Path:
    """The image that holds a pod's namespaces, as an archive for containerd."""
    path = IMAGES / "pause.tar"
    if not path.exists():
        IMAGES.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=IMAGES, delete=False) as file:
            file.write(archives.busybox_image(PAUSE_IMAGE, {}, {"Entrypoint": ["/bin/sleep", "infinity"]}))
        Path(file.name).rename(path)
    return path
