"""The DaemonSet that sets sysctls on the nodes of a profile, or on those without one."""

from collections.abc import Mapping

from scheduler_k3s.manifests.literal import literal
from scheduler_k3s.manifests.metadata import MANAGED, Object
from scheduler_k3s.nodes import PROFILE

_SCRIPT = 'for setting in "$@"; do sysctl -w "$setting"; done'


def daemon_set(name: str, profile: str, sysctls: Mapping[str, str], image: str, pause_image: str) -> Object:
    """An init container sets them whenever a node starts; a pod that does nothing else keeps it so."""
    selector = {"app.kubernetes.io/name": name}
    labels = {**selector, "app.kubernetes.io/part-of": "dokku"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": labels,
            "annotations": dict(MANAGED),
        },
        "spec": {
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": labels, "annotations": dict(MANAGED)},
                "spec": {
                    **_placement(profile),
                    "tolerations": [{"operator": "Exists"}],
                    "automountServiceAccountToken": False,
                    "initContainers": [_setter(sysctls, image)],
                    "containers": [_pause(pause_image)],
                },
            },
        },
    }


def _setter(sysctls: Mapping[str, str], image: str) -> Object:
    """The settings are words of the command line, never part of the script."""
    words = [literal(f"{name}={value}") for name, value in sorted(sysctls.items())]
    return {
        "name": "apply-sysctls",
        "image": image,
        "command": ["sh", "-ec", _SCRIPT, "apply-sysctls", *words],
        "securityContext": {"privileged": True},
    }


def _pause(image: str) -> Object:
    return {
        "name": "pause",
        "image": image,
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}},
    }


def _placement(profile: str) -> Object:
    """Every node matches exactly one of the DaemonSets."""
    if profile:
        return {"nodeSelector": {PROFILE: profile}}
    without = {"matchExpressions": [{"key": PROFILE, "operator": "DoesNotExist"}]}
    return {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [without]}
            }
        }
    }
