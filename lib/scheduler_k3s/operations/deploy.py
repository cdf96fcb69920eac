"""scheduler-deploy: brings the cluster to what dokku knows of an app, and waits until the new pods serve.

Order: the plan (facts, model, objects, dry run), then the cluster changes: config, pull secret, app. Whatever can
be refused is refused before the first change. The old pods serve until the new ones are ready.
"""

import time
from dataclasses import replace
from functools import partial

from scheduler_k3s import assemble, log, names
from scheduler_k3s.app import App
from scheduler_k3s.dokku import host, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import (
    adopt,
    auxiliary,
    certs,
    destroy,
    imported,
    lock,
    moves,
    place,
    plan,
    records,
    signals,
    state,
    target,
    trace,
)
from scheduler_k3s.operations.plan import Gathered, Ids, Options
from scheduler_k3s.operations.state import State
from scheduler_k3s.operations.stop import resume_autoscaling
from scheduler_k3s.operations.upgrade import upgrade
from scheduler_k3s.tools import helm, private, release, resources
from scheduler_k3s.tools.cluster import Cluster, Object, name
from scheduler_k3s.tools.release import Release


def deploy(app: str, image_tag: str, process_type: str = "", *, held: bool = False) -> None:
    """Deploy the app, then tell dokku. With `process_type`, only that process gets new pods; with `held` none that
    runs as it should.

    Errors: PluginError. Nothing in the cluster has changed when a fact, a name or an object is refused; a failed
    rollout leaves the old pods serving and the revision marked as failed.
    """
    with signals.cancellable(f"Deployment of {app} has been cancelled"):
        names.check_app(app)
        private.path("helm")
        destroy.clean()
        with lock.app_lock(app) as inherited:
            _deploy(app, image_tag, Ids.new(process_type, held), Options.of(app), inherited)
        certs.forget(app)
        _tell_dokku(app, image_tag)


def _deploy(app: str, image_tag: str, ids: Ids, options: Options, inherited: int) -> None:
    cluster = target.cluster()
    gathered = _until_left(cluster, plan.gather(app, options.namespace, cluster), options)
    known, before = gathered.known, gathered.before
    if not known.push_on_release:
        raise PluginError(
            f"The image of {app} is not pushed to a registry, so the cluster cannot pull it. Set one and push: "
            f"dokku registry:set {app} server SERVER; dokku registry:set {app} push-on-release true; "
            f"dokku ps:rebuild {app}"
        )
    image = assemble.image(known, image_tag, before.newest)
    planned = plan.make(gathered, cluster, options, image, ids)
    certificate = planned.gathered.imported
    secrets = auxiliary.outdated(cluster, planned.app, known.docker_config, before)
    if certificate.outdated and certificate.item:
        secrets[certificate.item["metadata"]["name"]] = certificate.item
    secret_files = auxiliary.charts(secrets)
    if not before.namespace_exists:
        state.ensure_namespace(cluster, options.namespace)
    legacy = state.legacy_ingresses(cluster, app, options.namespace)
    origins = moves.origins(cluster, app, options.namespace, known.image("").rpartition(":")[0])
    leaving = [*legacy, *(item for origin in origins for item in origin.routes)]
    for release_name, item in secrets.items():
        plan.dry_run(cluster, [item], before.auxiliary.get(release_name, certificate.revision), release_name)
    planned = plan.checked(planned, cluster, leaving)
    for text in planned.warnings:
        log.warn(text)
    trace.show([*secrets.values(), *planned.objects], known.config)
    _end_abandoned(cluster, before, certificate.revision)
    for item in legacy:
        cluster.delete(state.ingress_path(item))
    where = helm.Target(target.kubeconfig_path(), target.kube_context())
    with helm.session(where, host.data(app), (inherited,)) as runner:
        auxiliary.write(runner, options.namespace, secret_files)
        if certificate.usable:
            imported.mark(app, "true")
        auxiliary.remove_unmanaged(runner, planned.app, before)
        _prune_pull_secrets(cluster, planned.app, before)
        if planned.app.keda.paused:
            resume_autoscaling(cluster, app, options.namespace)
        records.prepare(cluster, before.newest, planned.objects)
        log.headline(f"Installing {app}")
        install = partial(
            upgrade, runner, cluster, planned.app, rollback=options.rollback, first=not before.deployed
        )
        here = place.Place(options.namespace, *where)
        if origins:
            with moves.tried(app, here, origins):
                moves.bring_issued(cluster, app, options.namespace, origins)
                install(plan.files(planned, moves.first(planned.objects)), plan.rollouts(planned))
            moves.swap(cluster, app, origins, planned.objects)
        install(planned.files, plan.rollouts(planned))
    adopt.write(app, here)
    moves.finish(app, origins, inherited)


def _tell_dokku(app: str, image_tag: str) -> None:
    """Nothing of this is undone by a signal: the new pods serve."""
    message = (
        f"Deployment of {app} has been cancelled\nIts new version serves, but what dokku does after a deploy has "
        f"not been done. Do it with: dokku ps:restart {app}"
    )
    with signals.cancellable(message):
        log.step("Running post-deploy")
        triggers.fire("core-post-deploy", app, "", "", image_tag)
        triggers.fire("post-deploy", app, "", "", image_tag)


def _until_left(cluster: Cluster, gathered: Gathered, options: Options) -> Gathered:
    """An app that was destroyed a moment ago may still be on its way out: a new one of that name has to wait."""
    deadline = time.monotonic() + options.timeout
    said: list[str] = []
    before = gathered.before
    while leaving := before.leaving():
        if time.monotonic() > deadline:
            raise PluginError(
                f"{', '.join(leaving)} in namespace {options.namespace} is being deleted, and was not gone within "
                f"{options.timeout:g}s. See what holds it: kubectl describe deployment {leaving[0]}"
            )
        if leaving != said:
            log.detail(f"Waiting for {', '.join(leaving)} to be gone, which is being deleted")
            said = leaving
        time.sleep(1.0)
        before = state.read(cluster, gathered.known.app, options.namespace)
    return replace(gathered, before=before)


def _end_abandoned(cluster: Cluster, before: State, certificate: Release | None) -> None:
    for revision in (before.newest, *before.auxiliary.values(), certificate):
        if release.end_abandoned(cluster, revision) and revision:
            log.detail(
                f"Release {revision.name}: revision {revision.revision} was left unfinished, taking over"
            )


def _prune_pull_secrets(cluster: Cluster, model: App, before: State) -> None:
    """helm's merge leaves list entries alone that no manifest of it ever had: such pull secrets go here."""
    kept = resources.manifest_objects(before.newest.manifest) if before.newest else ()
    known = {item["metadata"]["name"]: _pull_secrets(item) for item in kept if item["kind"] == "Deployment"}
    for live in before.deployments:
        deployment = live["metadata"]["name"]
        if deployment in known and _pull_secrets(live) - known[deployment] - set(model.pull_secrets):
            secrets = [{"name": secret} for secret in model.pull_secrets]
            path = f"/apis/apps/v1/namespaces/{name(model.namespace)}/deployments/{name(deployment)}"
            cluster.merge(path, {"spec": {"template": {"spec": {"imagePullSecrets": secrets}}}})


def _pull_secrets(deployment: Object) -> set[str]:
    return {entry["name"] for entry in deployment["spec"]["template"]["spec"].get("imagePullSecrets") or ()}
