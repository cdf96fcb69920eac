"""What the pods of an app have in common, be they of a process, a cron task or a one-off run."""

from collections.abc import Sequence

from scheduler_k3s.app import App, Resources
from scheduler_k3s.manifests import security, volumes
from scheduler_k3s.manifests.literal import literal
from scheduler_k3s.manifests.metadata import Object
from scheduler_k3s.manifests.secret import config_name

BUILDPACK_LAUNCHER = "launcher"


def pod(app: App, container: Object) -> Object:
    """The spec of a pod with this container."""
    spec: Object = {"serviceAccountName": app.name, "containers": [container]}
    if app.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in app.pull_secrets]
    if context := security.pod_context(app):
        spec["securityContext"] = context
    if found := volumes.pod_volumes(app):
        spec["volumes"] = found
    return spec


def container(app: App, name: str, args: Sequence[str], resources: Resources) -> Object:
    """A container of the app's image. Without `args` the image's own command runs."""
    made: Object = {
        "name": name,
        "image": app.image.reference,
        "imagePullPolicy": "Always",
        "envFrom": [{"secretRef": {"name": config_name(app.name), "optional": True}}],
        "resources": dict(resources),
    }
    if args:
        made["args"] = [literal(word) for word in args]
        if app.image.kind == "pack":
            made["command"] = [BUILDPACK_LAUNCHER]
    if app.image.working_dir:
        made["workingDir"] = app.image.working_dir
    if context := security.container_context(app):
        made["securityContext"] = context
    if mounts := volumes.container_mounts(app):
        made["volumeMounts"] = mounts
    return made
