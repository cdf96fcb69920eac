"""k3s' registries.yaml: whose images the node may pull, and with which login. Pure but for yaml's import."""

from typing import Any

from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

PATH = "/etc/rancher/k3s/registries.yaml"
_DOCKER_HUB = "registry-1.docker.io"
_NAMES_OF_DOCKER_HUB = ("docker.io", "index.docker.io", "hub.docker.com", "registry.hub.docker.com")


def merged(text: str, server: str, user: str, password: Secret) -> str:
    """The file with the login in it. What else it holds stays; the same text when nothing changes.

    Errors: PluginError when the file is not one of k3s'.
    """
    content = _load(text)
    configs = content.setdefault("configs", {})
    config = configs.setdefault(host(server), {}) if isinstance(configs, dict) else None
    if not isinstance(config, dict):
        raise PluginError(f"{PATH} is not as k3s has it: configs must hold a mapping per registry")
    wanted = {"username": user, "password": password.reveal()}
    if config.get("auth") == wanted:
        return text
    config["auth"] = wanted
    return _dump(content)


def host(server: str) -> str:
    """The name by which containerd knows a registry."""
    name = server.partition("://")[2] or server
    name = name.partition("/")[0]
    return _DOCKER_HUB if name in _NAMES_OF_DOCKER_HUB else name


def _load(text: str) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError:  # its message would quote the file, which holds passwords
        raise PluginError(f"{PATH} is not YAML") from None
    if not isinstance(content, dict):
        raise PluginError(f"{PATH} is not as k3s has it: it holds no mapping")
    return content


def _dump(content: dict[str, Any]) -> str:
    import yaml

    return str(yaml.safe_dump(content, sort_keys=False))
