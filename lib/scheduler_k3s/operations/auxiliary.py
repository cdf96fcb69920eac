"""The releases beside the app's: its config and its registry credentials.

They are apart so that a rollback of the app brings neither back in time. One that is up to date is left alone:
helm takes the better part of a second for a release even when nothing changes.
"""

from collections.abc import Mapping

from scheduler_k3s import log
from scheduler_k3s.app import App
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart, secret
from scheduler_k3s.operations.state import State
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import helm, release, resources
from scheduler_k3s.tools.cluster import Cluster, Object
from scheduler_k3s.tools.command import CommandError
from scheduler_k3s.tools.release import Release
from scheduler_k3s.unbroken import unbroken

VERSION = "0.0.1"
_TITLES = {
    "config": "Error syncing config secret",
    "pull-secret": "Error syncing pull secret",
    "tls": "Error syncing certificate",
}


def secrets(app: App, docker_config: Secret) -> dict[str, Object]:
    """All Secrets that the app's pods use and dokku manages, by release."""
    wanted = {secret.config_name(app.name): secret.config(app)}
    name = secret.pull_secret_name(app.name)
    if name in app.pull_secrets:
        wanted[name] = secret.pull_secret(app, docker_config.reveal().encode())
    return wanted


def outdated(cluster: Cluster, app: App, docker_config: Secret, before: State) -> dict[str, Object]:
    """The Secrets that have to be written, by release."""
    finder = resources.Resources(cluster)
    return {
        name: item
        for name, item in secrets(app, docker_config).items()
        if not is_current(item, cluster.find(finder.path(item)), before.auxiliary.get(name))
    }


def is_current(wanted: Object, live: Object | None, revision: Release | None) -> bool:
    """Whether the live Secret is what is wanted, and helm's record says the same."""
    if revision is None or revision.status != "deployed" or live is None:
        return False
    if live.get("data", {}) != wanted.get("data", {}) or live.get("type") != wanted["type"]:
        return False
    kept = resources.manifest_objects(revision.manifest)
    return len(kept) == 1 and all(
        kept[0]["metadata"].get(part) == wanted["metadata"][part]
        and wanted["metadata"][part].items() <= (live["metadata"].get(part) or {}).items()
        for part in ("labels", "annotations")
    )


def charts(items: Mapping[str, Object]) -> dict[str, Mapping[str, str]]:
    """The chart of each release. Errors: PluginError for one that helm could not store."""
    return {name: checked(name, chart.files(name, VERSION, [item], {})) for name, item in items.items()}


def checked(name: str, files: Mapping[str, str]) -> Mapping[str, str]:
    """The chart, refused when helm's record of it would not fit into a Secret."""
    if (size := release.size(files)) > release.LIMIT:
        raise PluginError(
            f"Release {name} is too large: its record takes {size} bytes, Kubernetes keeps at most {release.LIMIT}. "
            "Move large values out of the config, into a file of the image or a volume"
        )
    return files


def write(runner: helm.Helm, namespace: str, files: Mapping[str, Mapping[str, str]]) -> None:
    """Install or upgrade the releases, all at the same time."""
    upgrades: dict[str, helm.Upgrade] = {}
    try:
        for name, chart_files in files.items():
            with unbroken():
                upgrades[name] = runner.upgrade(name, namespace, chart_files)
        for name, upgrade in upgrades.items():
            finish(upgrade, next(title for kind, title in _TITLES.items() if name.startswith(f"{kind}-")))
    finally:
        for upgrade in upgrades.values():
            upgrade.abort(0)


def remove_unmanaged(runner: helm.Helm, app: App, before: State) -> None:
    """A pull secret that dokku made earlier goes when the pods do not use it any more."""
    name = secret.pull_secret_name(app.name)
    if name not in app.pull_secrets and name in before.auxiliary:
        runner.uninstall(app.namespace, name)


def finish(upgrade: helm.Upgrade, what: str) -> None:
    """Wait for helm. Errors: PluginError with its words."""
    while not upgrade.ended(10.0):
        log.detail("Waiting for helm")
    try:
        upgrade.check()
    except CommandError as error:
        raise PluginError(f"{what}: {error.output or error.message}") from None
