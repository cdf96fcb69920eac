"""The one table of properties. It drives `set`, `report`, the help of both, and what the rest of the plugin reads."""

from scheduler_k3s import checks
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.values import boolean, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


__all__ = ["GLOBAL", "SETTINGS", "boolean", "checked", "normalise", "reference", "seconds", "value"]

GLOBAL = properties.GLOBAL


class Setting:
    """One property.

    `check` takes a value that is not empty and returns it as it is stored, or raises ValueError with the rule.
    With `twin`, reports show the computed value beside the global one; without, the global one shows the default.
    """

    __slots__ = ("check", "default", "for_apps", "name", "secret", "summary", "twin")

    def __init__(
        self, name: str, scope: str, default: str, check: "Callable[[str], str]", summary: str
    ) -> None:
        self.name = name
        self.for_apps = scope == APP
        self.default = default
        self.check = check
        self.summary = summary
        self.secret = name == "token"
        self.twin = name not in ("node-sysctls-image", "node-sysctls-pause-image", "token")


APP, HOST = "app, global", "global"
_ROWS: "tuple[tuple[str, str, str, Callable[[str], str], str], ...]" = (
    ("cert-issuer-kind", APP, "ClusterIssuer", checks.issuer_kind, "kind of the issuer in cert-issuer-name"),
    ("cert-issuer-name", APP, "", checks.issuer_name, "cert-manager issuer to use for https; false for none"),
    ("chart-repository-url", HOST, "", checks.url, "chart repository to use instead of the public ones"),
    ("charts-disabled", HOST, "", checks.charts, "system charts that ensure-charts leaves out"),
    ("deploy-timeout", APP, "300s", checks.duration, "how long a deploy may take, or a new node"),
    ("image-pull-secrets", APP, "", checks.subdomains, "Secrets to pull images with, not dokku's logins"),
    ("ingress-class", HOST, "nginx", checks.subdomain, "ingress controller: nginx or traefik"),
    ("k3s-installer-url", HOST, "https://get.k3s.io", checks.url, "where the k3s installer is fetched"),
    ("k3s-release-url", HOST, "", checks.url, "mirror of the k3s release files; needs k3s-version"),
    ("k3s-version", HOST, "", checks.k3s_version, "k3s release to install; else the stable channel"),
    ("kube-context", HOST, "", checks.context, "context of the kubeconfig; else its current one"),
    ("kubeconfig-path", HOST, "/etc/rancher/k3s/k3s.yaml", checks.absolute_path, "kubeconfig to use"),
    ("kustomize-root-path", APP, "config/kustomize", checks.source_path, "kustomization in the app's source"),
    ("letsencrypt-email-prod", APP, "", checks.email, "address for letsencrypt; set, apps get https"),
    ("letsencrypt-email-stag", APP, "", checks.email, "the same for letsencrypt's staging server"),
    ("letsencrypt-server", APP, "prod", checks.letsencrypt_server, "prod, staging, or false for no https"),
    ("namespace", APP, "default", checks.label, "namespace of the app's objects"),
    ("network-interface", HOST, "eth0", checks.interface, "its IPv4 address is the server's address"),
    ("node-registries", HOST, "false", checks.boolean, "give registry logins to the nodes too"),
    ("node-sysctls-image", HOST, "busybox:1.36", checks.image, "image that sets the sysctls of nodes"),
    ("node-sysctls-pause-image", HOST, "registry.k8s.io/pause:3.9", checks.image, "image that its pods keep"),
    ("rollback-on-failure", APP, "false", checks.boolean, "return to the last release when a deploy fails"),
    ("shm-size", APP, "", checks.size, "size of /dev/shm"),
    ("token", HOST, "", checks.token, "join token of the cluster"),
)
SETTINGS = {row[0]: Setting(*row) for row in _ROWS}


def value(app: str, name: str) -> str:
    """The computed value: the app's, else the global one, else the default. `app` may be "" or `--global`."""
    setting = SETTINGS[name]
    own = properties.read(app, name) if setting.for_apps and app not in ("", GLOBAL) else ""
    return own or properties.read(GLOBAL, name) or setting.default


def checked(app: str, name: str) -> str:
    """The computed value, refused when it breaks the property's rule: what is stored may be older than the rule."""
    found = value(app, name)
    return normalise(name, found) if found else ""


def normalise(name: str, text: str) -> str:
    """A value as it is stored. Errors: PluginError with the value (unless secret), the rule and an example."""
    setting = SETTINGS[name]
    try:
        return setting.check(text)
    except ValueError as error:
        shown = "*******" if setting.secret else text
        raise PluginError(f"Invalid {name}: {shown}, {error}") from None


def reference(words: "Sequence[str]") -> list[str]:
    """Lines for the help: the property that is named by one of the words, else the names of all."""
    from scheduler_k3s import usage

    for setting in (SETTINGS[word] for word in words if word in SETTINGS):
        default = f" (default {setting.default})" if setting.default else ""
        scope = "of an app or --global" if setting.for_apps else "--global only"
        return ["", f"{setting.name}, {scope}:", f"  {setting.summary}{default}"]
    return ["", "Properties (add --help to a name for what it does):", *usage.columns(sorted(SETTINGS))]
