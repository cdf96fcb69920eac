"""The security contexts of pods and containers, from the app's docker options."""

from scheduler_k3s.app import App
from scheduler_k3s.manifests.metadata import Object


def pod_context(app: App) -> Object:
    """Empty when the app asks for nothing."""
    sysctls = [{"name": name, "value": value} for name, value in sorted(app.security.sysctls.items())]
    return {"sysctls": sysctls} if sysctls else {}


def container_context(app: App) -> Object:
    """Empty when the app asks for nothing."""
    security = app.security
    lists = {"add": list(security.added), "drop": list(security.dropped)}
    capabilities = {name: names for name, names in lists.items() if names}
    context: Object = {"privileged": True} if security.privileged else {}
    return {**context, "capabilities": capabilities} if capabilities else context
