"""A dokku host with a deployed app, and what plugn gives the triggers that are called here without it."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rig import images, target
from rig.host import TOOLS, Host, host


@contextmanager
def deployed(app: str, image: str = "", scale: str = "web=1", domains: int = 1) -> Iterator[Host]:
    """A host that deploys to the rig's node, with an app that runs there; both gone afterwards."""
    with host() as dokku:
        dokku.use(target.KUBECONFIG)
        dokku.dokku("apps:create", app)
        try:
            dokku.dokku("ps:set", app, "stop-timeout-seconds", "1")
            # the old and the new pods of the large apps have to fit on two cores
            dokku.dokku("resource:reserve", "--cpu", "10m", app)
            dokku.dokku("ps:scale", "--skip-deploy", app, *scale.split())
            dokku.dokku("domains:set", app, *(f"{app}-{number}.example.com" for number in range(domains)))
            dokku.dokku("git:from-image", app, image or images.sample())
            yield dokku
        finally:
            dokku.dokku("--force", "apps:destroy", app)


def environment(dokku: Host) -> Mapping[str, str]:
    lib = dokku.lib
    return {
        "PATH": f"{dokku.prefix}/bin:{os.environ['PATH']}",
        "HOME": str(dokku.home),
        "DOKKU_ROOT": str(dokku.home),
        "DOKKU_LIB_ROOT": str(lib),
        "PLUGIN_PATH": f"{lib}/plugins",
        "PLUGIN_ENABLED_PATH": f"{lib}/plugins/enabled",
        "PLUGIN_AVAILABLE_PATH": f"{lib}/plugins/available",
        "PLUGIN_CORE_PATH": f"{lib}/core-plugins",
        "PLUGIN_CORE_AVAILABLE_PATH": f"{lib}/core-plugins/available",
        "DOKKU_NOT_IMPLEMENTED_EXIT": "10",
        "DOKKU_SCHEDULER_K3S_TOOLS": str(TOOLS),
    }


def plugin(dokku: Host) -> Path:
    return dokku.lib / "plugins" / "enabled" / "scheduler-k3s"


def kubectl(*words: str) -> tuple[str, ...]:
    """The kubectl that the plugin brings, as its argument list."""
    return (f"{TOOLS}/bin/kubectl", f"--kubeconfig={target.KUBECONFIG}", *words)


def settle(app: str) -> None:
    """Wait until a rollout is over: helm ends before the pods have stayed up, and old pods leave after that."""
    labels = f"app.kubernetes.io/part-of={app}"
    subprocess.run(
        kubectl("rollout", "status", "deployment", f"--selector={labels}"), check=True, capture_output=True
    )
    words = (
        "get",
        "pods",
        f"--selector={labels}",
        "--output=jsonpath={.items[*].metadata.deletionTimestamp}",
    )
    while subprocess.run(kubectl(*words), check=True, capture_output=True).stdout.strip():
        time.sleep(0.5)
