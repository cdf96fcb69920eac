"""Annotations and labels that users set: for which resource types, and in which property files they are."""

from scheduler_k3s.errors import PluginError
from scheduler_k3s.values import ANY_CASE, consists_of, is_subdomain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANNOTATED = (
    "certificate",
    "cronjob",
    "deployment",
    "ingress",
    "job",
    "keda_scaled_object",
    "keda_secret",
    "keda_trigger_authentication",
    "pod",
    "secret",
    "service",
    "serviceaccount",
    "traefik_ingressroute",
    "traefik_middleware",
)
LABELLED = tuple(kind for kind in ANNOTATED if not kind.startswith("keda_"))
LABELS = "labels."
_OWN_LABELS = frozenset(f"app.kubernetes.io/{name}" for name in ("instance", "managed-by", "name", "part-of"))
_VERSION = "app.kubernetes.io/version"
_VERSIONED = ("cronjob", "pod")
_RESERVED = ("chart.", "chart-overrides.", LABELS, "node-profile-", "node-sysctls.", "trigger-auth.")


def files(names: "Iterable[str]", prefix: str = "") -> "Iterator[tuple[str, str]]":
    """Property name and `<process>.<resource>` of each file that holds annotations, or with `labels.` labels."""
    kinds = LABELLED if prefix else ANNOTATED
    for name in names:
        if not name.startswith(prefix) or (not prefix and name.startswith(_RESERVED)):
            continue
        process, dot, resource = name[len(prefix) :].rpartition(".")
        if dot and process and resource in kinds:
            yield name, f"{process}.{resource}"


def noun(prefix: str) -> str:
    return "label" if prefix else "annotation"


def check_resource(resource: str, prefix: str) -> None:
    """Errors: PluginError naming the resource types that take an annotation, or with `labels.` a label."""
    kinds = LABELLED if prefix else ANNOTATED
    if resource not in kinds:
        raise PluginError(f"Invalid resource-type: {resource}, valid types: {', '.join(kinds)}")


def check_process(process: str, prefix: str) -> None:
    """Errors: PluginError for what is no process type and no cron id, or means another property."""
    begins = process[:1] in ANY_CASE and consists_of(process, ANY_CASE | set("-_"))
    if not begins or not any(files([f"{prefix}{process}.pod"], prefix)):
        raise PluginError(
            f"Invalid process-type: {process}, must be a process type of the Procfile or the id of a cron task, "
            "for example web"
        )


def reserved(key: str, prefix: str, resource: str) -> str:
    """Why a user may not have this key for objects of this type, as the end of a sentence; empty for any other."""
    if key.startswith("dokku.com/"):
        return "is dokku's own: it finds the objects of an app by such keys"
    if prefix:
        return "is dokku's own: it finds the objects of an app by it" if key in _OWN_LABELS else ""
    if key.startswith(("helm.sh/hook", "helm.sh/resource-policy")):
        return "would take the object out of its release: helm would not update or remove it with the app"
    if key.startswith("meta.helm.sh/"):
        return "is helm's own: it says which release an object belongs to"
    if key == _VERSION and resource in _VERSIONED:
        return "is dokku's own: by its change a deploy makes new pods"
    return ""


def check(key: str, value: str, prefix: str, resource: str) -> None:
    """Kubernetes' rules and ours, told here and not at the next deploy. Errors: PluginError."""
    what = noun(prefix)
    # Kubernetes ignores the case of an annotation's key here, not that of a label's
    if not _is_qualified(key if prefix else key.lower()):
        raise PluginError(
            f"Invalid {what} key: {key}, must be at most 63 letters, digits, '-', '_' and '.', beginning and ending "
            "with a letter or digit, after a DNS name and a slash if need be, for example example.com/team"
        )
    if why := reserved(key, prefix, resource):
        raise PluginError(f"Invalid {what} key: {key} {why}")
    if prefix and value and not _is_name(value):
        raise PluginError(
            f"Invalid label value: {value}, must be at most 63 letters, digits, '-', '_' and '.', "
            "beginning and ending with a letter or digit, for example team-a"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PluginError(f"Invalid {what} value of {key}: Kubernetes takes UTF-8 only") from None


def _is_qualified(key: str) -> bool:
    domain, slash, name = key.rpartition("/")
    return _is_name(name) and (not slash or is_subdomain(domain))


def _is_name(text: str) -> bool:
    ends = text[:1] in ANY_CASE and text[-1:] in ANY_CASE
    return ends and len(text) <= 63 and consists_of(text, ANY_CASE | set("-_."))
