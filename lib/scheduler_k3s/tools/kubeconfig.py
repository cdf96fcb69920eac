"""Reads a kubeconfig: where the API server is and how to prove who we are.

Only the plain forms are understood here: certificates, tokens and a CA, inline or as files. Anything else
(exec plugins, auth providers, proxies, impersonation, passwords) is kubectl's to handle; see `Connection.plain`.
"""

import base64
import json
import os

from scheduler_k3s import plainyaml
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PLAIN_USER = {
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
}
_PLAIN_CLUSTER = {
    "server",
    "certificate-authority",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "tls-server-name",
    "extensions",
}
_NONE = Secret("")


class Connection:
    """`certificate` is the client's PEM certificate followed by its key; `authority` the CA's PEM."""

    def __init__(
        self,
        path: str,
        context: str,
        server: str,
        *,
        authority: str = "",
        insecure: bool = False,
        server_name: str = "",
        certificate: Secret = _NONE,
        token: Secret = _NONE,
        plain: bool = True,
    ) -> None:
        self.path = path
        self.context = context
        self.server = server
        self.authority = authority
        self.insecure = insecure
        self.server_name = server_name
        self.certificate = certificate
        self.token = token
        self.plain = plain


def read(path: str, context: str = "") -> Connection:
    """Errors: PluginError, one message for each way in which a kubeconfig can be unusable."""
    config = _load(path)
    context = context or str(config.get("current-context") or "")
    if not context:
        raise _unusable(
            path, "it has no current-context. Set one: dokku scheduler-k3s:set --global kube-context NAME"
        )
    known = _named(config, "contexts", "context")
    if context not in known:
        raise _unusable(
            path, f"it has no context {context!r}. Its contexts: {', '.join(sorted(known)) or 'none'}"
        )
    chosen = known[context]
    cluster = _named(config, "clusters", "cluster").get(str(chosen.get("cluster")))
    if not cluster or not cluster.get("server"):
        raise _unusable(
            path, f"context {context!r} names the cluster {chosen.get('cluster')!r}, which has no server"
        )
    user = _named(config, "users", "user").get(str(chosen.get("user")), {})
    if not (_PLAIN_USER.issuperset(user) and _PLAIN_CLUSTER.issuperset(cluster)) or _proxied():
        return Connection(path, context, str(cluster["server"]), plain=False)
    base = os.path.dirname(os.path.abspath(path))
    certificate = _material(user, "client-certificate", base, path)
    key = _material(user, "client-key", base, path)
    token = str(user.get("token") or "")
    if user.get("tokenFile"):
        token = _file(os.path.join(base, str(user["tokenFile"])), path).strip()
    return Connection(
        path,
        context,
        str(cluster["server"]),
        authority=_material(cluster, "certificate-authority", base, path),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=str(cluster.get("tls-server-name") or ""),
        certificate=Secret(f"{certificate}\n{key}" if certificate and key else ""),
        token=Secret(token),
    )


def _load(path: str) -> "dict[str, Any]":
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        raise _unusable(path, "it does not exist") from None
    except IsADirectoryError:
        raise _unusable(path, "it is a directory") from None
    except PermissionError:
        raise _unusable(path, _unreadable(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from None
    if not text.strip():
        raise _unusable(path, "it is empty")
    try:
        config = json.loads(text) if text[0] == "{" else plainyaml.parse(text)
    except ValueError:
        config = _load_yaml(text, path)
    if not isinstance(config, dict):
        raise _unusable(path, "it holds no mapping")
    return config


def _unreadable(path: str) -> str:
    import grp
    import pwd

    user = pwd.getpwuid(os.geteuid())
    return (
        f"user {user.pw_name} cannot read it. In a directory that {user.pw_name} can enter, allow it with: "
        f"chgrp {grp.getgrgid(user.pw_gid).gr_name} {path} && chmod g+r {path}"
    )


def _load_yaml(text: str, path: str) -> object:
    from scheduler_k3s.tools import private

    private.load_packages()
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        # the error quotes the file's text, which holds keys: only its place is told
        mark = getattr(error, "problem_mark", None)
        raise _unusable(path, f"it is not YAML (line {mark.line + 1 if mark else '?'})") from None


def _named(config: "Mapping[str, Any]", section: str, key: str) -> "dict[str, dict[str, Any]]":
    entries = config.get(section) or []
    return {
        str(entry.get("name")): entry.get(key) or {}
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get(key) or {}, dict)
    }


def _material(section: "Mapping[str, Any]", name: str, base: str, path: str) -> str:
    """PEM text given inline (base64) or as a file relative to the kubeconfig. Inline wins, as in kubectl."""
    if data := section.get(f"{name}-data"):
        try:
            return base64.b64decode(str(data), validate=True).decode("ascii")
        except ValueError:
            raise _unusable(path, f"its {name}-data is not base64") from None
    return _file(os.path.join(base, str(section[name])), path) if section.get(name) else ""


def _file(name: str, path: str) -> str:
    """Certificates, keys and tokens are ASCII; a comment beside them may not be, and OpenSSL takes no such text."""
    try:
        with open(name, encoding="ascii", errors="ignore") as file:
            return file.read()
    except OSError as error:
        raise _unusable(path, f"it names {name}, which cannot be read: {error.strerror}") from None


def _proxied() -> bool:
    return any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy"))


def _unusable(path: str, why: str) -> PluginError:
    return PluginError(f"Unable to create kubernetes client: kubeconfig {path} cannot be used: {why}")
