"""post-registry-login: new registry logins reach the apps in the cluster without a redeploy of any.

dokku does not tell whose login it was: what each app would get at its next deploy is compared with what it has. The
login itself has succeeded by then, so nothing here fails it.
"""

import base64
import os
from collections.abc import Sequence

from scheduler_k3s import log, settings
from scheduler_k3s.dokku import apps, host, properties
from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from scheduler_k3s.operations.place import Place
    from scheduler_k3s.tools.cluster import Cluster

_AT_ONCE = 4
_KEY = ".dockerconfigjson"


def logged_in(server: str, user: str) -> None:
    """The password is in DOCKER_REGISTRY_PASS, which no program that we start is to see."""
    password = os.environ.pop("DOCKER_REGISTRY_PASS", "")
    if deployed := _deployed():
        _refresh(deployed)
    if settings.boolean(settings.value(properties.GLOBAL, "node-registries")) and server and password:
        _give_to_nodes(server, user, password)


def _deployed() -> list[str]:
    """The apps of this host that have been deployed to a cluster, whoever may see them."""
    try:
        with os.scandir(host.data()) as entries:
            found = sorted(entry.name for entry in entries if os.path.isfile(f"{entry.path}/deployed.json"))
    except FileNotFoundError:
        return []
    return [app for app in found if os.path.isdir(f"{host.root()}/{app}") and apps.is_ours(app)]


def _refresh(found: "Sequence[str]") -> None:
    from scheduler_k3s.operations import place

    by_place: dict[tuple[str, str], list[str]] = {}
    places = {app: place.of(app) for app in found if not settings.value(app, "image-pull-secrets")}
    for app, where in places.items():
        by_place.setdefault((where.kubeconfig, where.context), []).append(app)
    for names in by_place.values():
        try:
            _refresh_cluster({app: places[app] for app in names})
        except PluginError as error:
            log.warn(
                f"Unable to update the pull secrets of {', '.join(names)}: {error.message}\n"
                "They get the login with their next deploy"
            )


def _refresh_cluster(places: "Mapping[str, Place]") -> None:
    from scheduler_k3s.dokku import triggers

    cluster = next(iter(places.values())).cluster(attempts=2)
    outdated = [app for app, where in places.items() if _chart(cluster, app, where.namespace)]
    if not outdated:
        return
    log.step_quiet(f"Updating the pull secrets of {', '.join(outdated)}")

    def work(app: str) -> None:
        try:
            _update(cluster.copy(), app, places[app])
        except PluginError as error:
            log.warn(f"Unable to update the pull secret of {app}: {error.message}")

    for start in range(0, len(outdated), _AT_ONCE):
        triggers.together([lambda app=app: work(app) for app in outdated[start : start + _AT_ONCE]])  # type: ignore[misc]


def _update(cluster: "Cluster", app: str, where: "Place") -> None:
    """Under the app's lock: a deploy that runs writes the same Secret."""
    from scheduler_k3s.manifests.secret import pull_secret_name
    from scheduler_k3s.operations import auxiliary, lock
    from scheduler_k3s.tools import helm, release

    with lock.app_lock(app) as inherited:
        chart = _chart(cluster, app, where.namespace)
        if not chart:
            return
        release.end_abandoned(cluster, release.newest(cluster, where.namespace, pull_secret_name(app)))
        target = helm.Target(where.kubeconfig, where.context)
        with helm.session(target, host.data(app), (inherited,)) as runner:
            auxiliary.write(runner, where.namespace, chart)


def _chart(cluster: "Cluster", app: str, namespace: str) -> "dict[str, Mapping[str, str]]":
    """The chart of the app's pull secret with the logins of now; empty when it is up to date or dokku has none.

    All but the logins stays as the last deploy made it.
    """
    from scheduler_k3s.dokku import facts
    from scheduler_k3s.manifests.secret import pull_secret_name
    from scheduler_k3s.operations import auxiliary
    from scheduler_k3s.tools import release, resources

    name = pull_secret_name(app)
    config = facts.docker_config(app)
    newest = release.newest(cluster, namespace, name) if config else None
    kept = resources.manifest_objects(newest.manifest) if newest else ()
    if len(kept) != 1 or kept[0]["kind"] != "Secret":
        return {}
    data = {_KEY: base64.b64encode(config.reveal().encode()).decode()}
    wanted = {**kept[0], "data": data}
    live = cluster.find(resources.Resources(cluster, namespace).path(wanted))
    return {} if auxiliary.is_current(wanted, live, newest) else auxiliary.charts({name: wanted})


def _give_to_nodes(server: str, user: str, password: str) -> None:
    from scheduler_k3s.operations import node_registries, target
    from scheduler_k3s.secret import Secret

    path = target.kubeconfig_path()
    if path != target.DEFAULT_KUBECONFIG or target.k3s_is_absent(path):
        return
    try:
        node_registries.update(target.cluster(), server, user, Secret(password))
    except PluginError as error:
        log.warn(f"Unable to give the login to the nodes: {error.message}")
