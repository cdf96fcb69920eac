"""What is in each chart: the pods, custom resource definitions and default values that the real one has.

The charts take any value, as the real ones do, and put all they received into a ConfigMap `<release>-received`.
"""

import json
from pathlib import Path

from rig.node import fetch
from rig.node.versions import ADD_ONS, TRAEFIK, CustomResources

TEMPLATES = Path(__file__).parent / "templates"
PINNED = {
    "cert-manager": "v1.13.3",
    "longhorn": "1.5.3",
    "traefik": "26.0.0",
    "ingress-nginx": "4.15.1",
    "keda": "2.19.0",
    "keda-add-ons-http": "0.12.2",
    "vector": "0.52.0",
}
"""What the plugin is to install."""
OTHER_VERSIONS = {
    "keda": ("2.13.1", "2.20.0"),
    "keda-add-ons-http": ("0.11.1",),
    "longhorn": ("1.6.0",),
    "vector": ("0.50.0",),
}
"""Older and newer ones."""

_NAME_LABEL = "app.kubernetes.io/name"
# name, kind, and where in the values its tolerations and resources are
_PODS = {
    "cert-manager": [
        ("cert-manager", "Deployment", ""),
        ("cert-manager-webhook", "Deployment", "webhook"),
        ("cert-manager-cainjector", "Deployment", "cainjector"),
    ],
    "longhorn": [
        ("longhorn-manager", "DaemonSet", "longhornManager"),
        ("longhorn-ui", "Deployment", "longhornUI"),
    ],
    "traefik": [("traefik", "Deployment", "")],
    "ingress-nginx": [("ingress-nginx-controller", "Deployment", "controller")],
    "keda": [("keda-operator", "Deployment", ""), ("keda-operator-metrics-apiserver", "Deployment", "")],
    "keda-add-ons-http": [
        ("keda-add-ons-http-interceptor", "Deployment", "interceptor"),
        ("keda-add-ons-http-external-scaler", "Deployment", "scaler"),
    ],
    "vector": [("vector", "DaemonSet", "")],
}
_MODULES = {wanted.name: wanted for wanted in ADD_ONS}
_DEFINITIONS: dict[str, tuple[str, CustomResources]] = {
    "cert-manager": ("installCRDs", _MODULES["cert-manager"]),
    "keda": ("crds.install", _MODULES["keda"]),
    "keda-add-ons-http": ("crds.install", _MODULES["keda-http-add-on"]),
    "traefik": ("", TRAEFIK[2]),
}
"""Behind which value the definitions are templates; "" for those in helm's folder `crds`."""
_DEFAULTS: dict[str, dict[str, object]] = {
    "cert-manager": {"installCRDs": False},
    "keda": {"crds": {"install": True}},
    "keda-add-ons-http": {"crds": {"install": True}},
    "vector": {"customConfig": {}},
}
_MORE = {"cert-manager": ["startupapicheck.yaml"], "vector": ["vector.yaml"]}


def versions() -> list[tuple[str, str]]:
    """Name and version of every chart in the repository."""
    return [*PINNED.items()] + [
        (name, version) for name, others in OTHER_VERSIONS.items() for version in others
    ]


def files(name: str, version: str, image: str, definitions: bool) -> dict[str, bytes]:
    """The files of a chart. Its pods run `image`; with `definitions` it brings its custom resources."""
    found = {
        "Chart.yaml": _json({"apiVersion": "v2", "name": name, "version": version, "appVersion": version}),
        "values.yaml": _json({"rig": _rig(name, version, image), "printed": "", **_DEFAULTS.get(name, {})}),
    }
    for template in ("received.yaml", "pods.yaml", *_MORE.get(name, ())):
        found[f"templates/{template}"] = (TEMPLATES / template).read_bytes()
    if definitions and name in _DEFINITIONS:
        found |= _definitions(*_DEFINITIONS[name])
    return found


def _rig(name: str, version: str, image: str) -> dict[str, object]:
    pods = [dict(zip(("name", "kind", "section"), pod, strict=True)) for pod in _PODS[name]]
    # the real http add-on changed its Deployments' selectors with 0.12.2
    is_old = (name, version) == ("keda-add-ons-http", "0.11.1")
    return {"image": image, "pods": pods, "selector": "app" if is_old else _NAME_LABEL}


def _definitions(condition: str, wanted: CustomResources) -> dict[str, bytes]:
    fetch.custom_resources(wanted)
    texts = {path.name: path.read_text() for path in sorted(wanted.folder.glob("*.yaml"))}
    if not condition:
        return {f"crds/{name}": text.encode() for name, text in texts.items()}
    return {
        f"templates/crd-{name}": f"{{{{- if .Values.{condition} }}}}\n{text}\n{{{{- end }}}}\n".encode()
        for name, text in texts.items()
    }


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
