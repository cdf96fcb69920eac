"""The Secrets of an app: its config, its registry credentials. Each is a release of its own, so that a
rollback of the app brings neither old config nor old credentials back."""

import base64

from scheduler_k3s.app import App
from scheduler_k3s.manifests.metadata import Object, metadata


def config_name(app: str) -> str:
    return f"config-{app}"


def pull_secret_name(app: str) -> str:
    return f"pull-secret-{app}"


def config(app: App) -> Object:
    data = {key: _base64(value.reveal().encode()) for key, value in sorted(app.config.items())}
    return _secret(app, config_name(app.name), "Opaque", data)


def pull_secret(app: App, docker_config: bytes) -> Object:
    """`docker_config` is the content of a docker config.json, kept byte for byte."""
    data = {".dockerconfigjson": _base64(docker_config)}
    return _secret(app, pull_secret_name(app.name), "kubernetes.io/dockerconfigjson", data)


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
