"""Which cluster and namespace an app's operations go to, from the computed properties."""

import os

from scheduler_k3s import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scheduler_k3s.tools.cluster import Cluster

DEFAULT_KUBECONFIG = settings.SETTINGS["kubeconfig-path"].default
K3S_BINARY = "/usr/local/bin/k3s"
TIMEOUT = 15.0
ATTEMPTS = 4


def cluster(attempts: int = ATTEMPTS, timeout: float = TIMEOUT) -> "Cluster":
    """The configured cluster; no request is made yet. `timeout` is seconds per attempt.

    Errors: PluginError when the kubeconfig cannot be used.
    """
    from scheduler_k3s.tools.cluster import Cluster

    return Cluster.open(kubeconfig_path(), kube_context(), timeout, attempts)


def namespace(app: str) -> str:
    return settings.value(app, "namespace")


def kubeconfig_path() -> str:
    return settings.value(settings.GLOBAL, "kubeconfig-path")


def kube_context() -> str:
    """Empty means the kubeconfig's current context."""
    return settings.value(settings.GLOBAL, "kube-context")


def k3s_is_absent(kubeconfig: str) -> bool:
    """This host was to run k3s itself but does not: then there is no cluster that could hold anything."""
    is_installed = os.path.isfile(K3S_BINARY) and os.path.isfile(kubeconfig)
    return kubeconfig == DEFAULT_KUBECONFIG and not is_installed
