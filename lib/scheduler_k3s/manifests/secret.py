"""The Secrets of an app: its config, its registry credentials. Each is a release of its own, so that a
rollback of the app brings neither old config nor old credentials back."""

import base64
import hashlib

from scheduler_k3s.app import App
from scheduler_k3s.manifests.metadata import MANAGED, Object, metadata


def config_name(app: str) -> str:
    return f"config-{app}"


def pull_secret_name(app: str) -> str:
    return f"pull-secret-{app}"


def named_pull_secrets(text: str) -> tuple[str, ...]:
    """The names in a list with commas, as a user writes it."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def config(app: App) -> Object:
    data = {key: _base64(value.reveal().encode()) for key, value in sorted(app.config.items())}
    return _secret(app, config_name(app.name), "Opaque", data)


def pull_secret(app: App, docker_config: bytes) -> Object:
    """`docker_config` is the content of a docker config.json, kept byte for byte."""
    data = {".dockerconfigjson": _base64(docker_config)}
    return _secret(app, pull_secret_name(app.name), "kubernetes.io/dockerconfigjson", data)


def certificate(app: str, namespace: str, crt: str, key: str) -> Object:
    """An imported certificate and its key, PEM, whose comments may be in any encoding.

    The checksum label tells whether the cluster has this pair.
    """
    name = f"tls-{app}"
    octets = [text.encode("utf-8", "surrogateescape") for text in (crt, key)]
    checksum = hashlib.sha224(b"".join(octets)).hexdigest()
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": app,
        "dokku.com/cert-source": "imported",
        "dokku.com/cert-checksum": checksum,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": dict(MANAGED)},
        "type": "kubernetes.io/tls",
        "data": dict(zip(("tls.crt", "tls.key"), map(_base64, octets), strict=True)),
    }


def _secret(app: App, name: str, type_: str, data: dict[str, str]) -> Object:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": app.name}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(app, "secret", name, labels=labels),
        "type": type_,
    }
    if data:
        secret["data"] = data
    return secret


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
