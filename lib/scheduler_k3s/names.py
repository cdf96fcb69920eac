"""Names of apps and process types -> names of Kubernetes objects, and the limits that both put on them.

Kubernetes and helm would refuse these too, but only halfway through a deploy.
"""

from collections.abc import Collection, Mapping, Sequence

from scheduler_k3s import values
from scheduler_k3s.errors import PluginError

LABEL = 63
"""Containers, Services and labels."""
RELEASE = 53
CRON_JOB = 52
PORT = 15
OBJECT = 253
AUXILIARY = ("config", "pull-secret", "tls", "storage")
"""Prefixes of the releases beside an app's own."""
_CRON_SUFFIX = "-cron-0123456789"
_HASH = 8


def check_app(app: str, pull_secret: bool = False) -> None:
    """`pull_secret`: a Secret with registry credentials is made for the app. Errors: PluginError."""
    if not is_legal(app):
        raise PluginError(
            f"App name {app!r} cannot name containers in Kubernetes: they take lowercase letters, digits and '-', "
            f"and begin and end with a letter or digit. {_rename(app)}"
        )
    prefix = next((prefix for prefix in AUXILIARY if app.startswith(f"{prefix}-")), "")
    if prefix:
        other = app.removeprefix(f"{prefix}-")
        whose = "storage entry" if prefix == "storage" else "app"
        raise PluginError(
            f"App name {app} is also the name of the helm release that holds the {prefix} of {whose} {other}, "
            f"and one would overwrite the other. {_rename(app)}"
        )
    _check_length(app, "", "config-", RELEASE, "helm release")
    if pull_secret:
        _check_length(app, "", "pull-secret-", RELEASE, "helm release")


def check_cron(app: str) -> None:
    """For an app with cron tasks. Errors: PluginError."""
    _check_length(app, _CRON_SUFFIX, "", CRON_JOB, "CronJob")


def check_process(app: str, process_type: str) -> None:
    """Errors: PluginError for a type that names no Deployment, container or label of the app."""
    name = f"{app}-{process_type}"
    if not is_legal(process_type):
        raise PluginError(
            f"Process type {process_type!r} of {app} cannot name objects in Kubernetes: they take lowercase letters, "
            "digits and '-', and begin and end with a letter or digit. Rename it in the Procfile"
            f"{_suggestion(process_type)}"
        )
    if len(name) > LABEL:
        raise PluginError(
            f"Container name {name} has {len(name)} characters, Kubernetes allows {LABEL}: "
            f"shorten process type {process_type} in the Procfile, or the app with dokku apps:rename"
        )


def check_service(app: str, process_type: str) -> None:
    """For a process that is reached over the network. Errors: PluginError."""
    if not app[:1].isalpha():
        raise PluginError(
            f"Process type {process_type} of {app} needs a Service named {app}-{process_type}, "
            f"and Kubernetes wants the name of a Service to begin with a letter. {_rename(app)}"
        )


def check_ports(app: str, ports: Sequence[str]) -> None:
    """`ports` are named `<scheme>-<host>-<container>`. Errors: PluginError for a name too long for a container.

    An https port whose container port is also that of `http-80` is the router's alone: no container names it.
    """
    for port in ports:
        scheme, host, container = port.split("-")
        if len(port) > PORT and not (scheme == "https" and f"http-80-{container}" in ports):
            raise PluginError(
                f"Port {scheme}:{host}:{container} of {app} makes a port name of {len(port)} characters ({port}), "
                f"Kubernetes allows {PORT}: use port numbers with fewer digits, see dokku ports:set"
            )


def ambiguous(app: str, process_type: str, others: Mapping[str, Collection[str]]) -> tuple[str, str] | None:
    """The other app whose process has the same object names, and what to tell the user; None without one.

    `others` are the process types of each app in the namespace: app `a` type `b-web` and app `a-b` type `web`
    would both be Deployment `a-b-web`.
    """
    name = f"{app}-{process_type}"
    for other, types in sorted(others.items()):
        theirs = name.removeprefix(f"{other}-")
        if other != app and theirs != name and theirs in types:
            return other, (
                f"Process type {process_type} of {app} and process type {theirs} of {other} would both be {name} "
                "in Kubernetes, and one would overwrite the other. Rename one of the process types, "
                f"or use another namespace with: dokku scheduler-k3s:set {app} namespace NAME"
            )
    return None


def ingress_name(app: str, process_type: str, domain: str, taken: Collection[str]) -> str:
    """The name of the domain's Ingress. A hash of the domain tells it from those `taken`, and shortens it."""
    part = slug(domain).replace("_", "-")
    name = f"{app}-{process_type}-{part}"
    if part and name not in taken and len(name) <= OBJECT:
        return name
    import hashlib

    digest = hashlib.sha256(domain.encode("utf-8", "surrogateescape")).hexdigest()[:_HASH]
    return f"{name[: OBJECT - _HASH - 1].rstrip('-')}-{digest}"


def release(name: str) -> str:
    """The name of a helm release: lowercase, at most 53 characters. A hash tells apart what would become the same."""
    if len(name) <= RELEASE and name == name.lower():
        return name
    import hashlib

    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name.lower()[: RELEASE - _HASH - 1].rstrip('-')}-{digest}"


def slug(domain: str) -> str:
    """`*.a.example.com` -> `wildcard-a-example-com`. Letters lose their accents; empty when no letter is left."""
    text = domain.lower()
    if text.startswith("*."):
        text = f"wildcard-{text[2:]}"
    if not text.isascii():
        import unicodedata

        text = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
        text = "".join(letter for letter in text if not unicodedata.combining(letter)).lower()
    kept = values.ALNUM | {"_"}
    words = "".join(letter if letter in kept else " " for letter in text).split()
    return "-".join(words).strip("-_")


def is_legal(name: str) -> bool:
    letters = values.ALNUM
    return name[:1] in letters and name[-1:] in letters and values.consists_of(name, letters | {"-"})


def _check_length(app: str, suffix: str, prefix: str, limit: int, what: str) -> None:
    longest = limit - len(prefix) - len(suffix)
    if len(app) > longest:
        raise PluginError(
            f"App name {app} has {len(app)} characters, but its {what} {prefix}<app>{_shown(suffix)} "
            f"allows {longest} ({limit} in all). {_rename(app)}"
        )


def _shown(suffix: str) -> str:
    return "-cron-<id>" if suffix == _CRON_SUFFIX else suffix


def _rename(app: str) -> str:
    return f"Rename it with: dokku apps:rename {app} NEW-NAME"


def _suggestion(process_type: str) -> str:
    suggested = slug(process_type.replace("_", "-"))
    return f", for example to {suggested}" if suggested else ""
