"""scheduler-deploy: brings the cluster to what dokku knows of an app, and waits until the new pods serve.

Order: facts, model, objects, dry run, then the cluster changes: config, pull secret, app. Whatever can be
refused is refused before the first change. The old pods serve until the new ones are ready.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler_k3s import app_json_schema, assemble, log, names, scaling, settings
from scheduler_k3s.app import App, Tls
from scheduler_k3s.dokku import facts, host, properties, triggers
from scheduler_k3s.dokku.facts import Facts
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart, objects
from scheduler_k3s.operations import (
    auxiliary,
    claims,
    keda,
    kustomization,
    lock,
    neighbours,
    routes,
    signals,
    state,
    target,
)
from scheduler_k3s.operations.state import State
from scheduler_k3s.operations.upgrade import upgrade
from scheduler_k3s.scaling import Keda
from scheduler_k3s.tools import helm, private, release, resources
from scheduler_k3s.tools.cluster import Cluster, Object, name
from scheduler_k3s.tools.release import PENDING, Release

PRE_STOP = 5
"""Seconds that a pod goes on serving after it is told to stop, until every router has forgotten it."""

_INTERRUPTED = "ended by dokku: the deploy that made this revision was killed"


@dataclass(frozen=True)
class Options:
    """The settings of one deploy, checked. `timeout` is in seconds."""

    namespace: str
    timeout: float
    rollback: bool
    pull_secret: str
    ingress_class: str
    shm_size: str

    @classmethod
    def of(cls, app: str) -> "Options":
        return cls(
            namespace=settings.checked(app, "namespace"),
            timeout=settings.seconds(settings.value(app, "deploy-timeout")),
            rollback=settings.boolean(settings.value(app, "rollback-on-failure")),
            pull_secret=settings.value(app, "image-pull-secrets"),
            ingress_class=settings.value(app, "ingress-class"),
            shm_size=settings.checked(app, "shm-size"),
        )


def deploy(app: str, image_tag: str, process_type: str = "") -> None:
    """Deploy the app, then tell dokku. With `process_type`, only that process gets new pods.

    Errors: PluginError. Nothing in the cluster has changed when a fact, a name or an object is refused; a failed
    rollout leaves the old pods serving and the revision marked as failed.
    """
    with signals.cancellable(f"Deployment of {app} has been cancelled"):
        names.check_app(app)
        private.path("helm")
        with lock.app_lock(app) as inherited:
            _deploy(app, image_tag, process_type, Options.of(app), inherited)
        log.step("Running post-deploy")
        triggers.fire("core-post-deploy", app, "", "", image_tag)
        triggers.fire("post-deploy", app, "", "", image_tag)


def _deploy(app: str, image_tag: str, process_type: str, options: Options, inherited: int) -> None:
    cluster = target.cluster()
    known, before, autoscaler = _gather(app, options.namespace, cluster)
    before = _until_left(cluster, before, options, app)
    found = routes.read(cluster, app, options.namespace)
    model = routes.fitted(cluster, _model(known, before, options, image_tag, process_type, tls=found.tls))
    model = scaling.fitted(model, autoscaler)
    told = routes.check(model, found)
    neighbours.check(cluster, model, before)
    claims.check(cluster, model)
    wanted = kustomization.apply(app, objects.build(model))
    for text in [*told, *objects.warnings(model), *kustomization.losses(model, wanted)]:
        log.warn(text)
    files = auxiliary.checked(app, _chart(model, wanted))
    secrets = auxiliary.outdated(cluster, model, known.docker_config, before)
    secret_files = auxiliary.charts(secrets)
    if not before.namespace_exists:
        state.ensure_namespace(cluster, model.namespace)
    legacy = state.legacy_ingresses(cluster, app, model.namespace)
    for release_name, item in secrets.items():
        _dry_run(cluster, [item], before.auxiliary.get(release_name), release_name)
    try:
        _dry_run(cluster, wanted, before.newest, app, legacy, namespace=model.namespace)
    except resources.Refused as error:
        model = _without_snippets(model, error)
        wanted = kustomization.apply(app, objects.build(model))
        files = auxiliary.checked(app, _chart(model, wanted))
        _dry_run(cluster, wanted, before.newest, app, legacy, namespace=model.namespace)
    _end_pending(cluster, before)
    for item in legacy:
        cluster.delete(state.ingress_path(item))
    where = helm.Target(target.kubeconfig_path(), target.kube_context())
    with helm.session(where, host.data(app), (inherited,)) as runner:
        auxiliary.write(runner, model.namespace, secret_files)
        auxiliary.remove_unmanaged(runner, model, before)
        _prune_pull_secrets(cluster, model, before)
        keda.prepare(cluster, model, wanted, autoscaler.served, before.newest)
        log.headline(f"Installing {app}")
        remaining = _remaining(model, wanted)
        upgrade(runner, cluster, remaining, files, rollback=options.rollback, first=not before.deployed)
    _remember(app, model.namespace)


def _gather(app: str, namespace: str, cluster: Cluster) -> tuple[Facts, State, Keda]:
    """dokku and the cluster are asked at the same time."""
    known: list[Facts] = []
    before: list[State] = []
    autoscaler: list[Keda] = []
    triggers.together(
        [
            lambda: known.append(facts.gather(app)),
            lambda: before.append(state.read(cluster, app, namespace)),
            lambda: autoscaler.append(keda.read(cluster.copy(), app, namespace)),
        ]
    )
    if not known[0].push_on_release:
        raise PluginError(
            f"The image of {app} is not pushed to a registry, so the cluster cannot pull it. Set one and push: "
            f"dokku registry:set {app} server SERVER; dokku registry:set {app} push-on-release true; "
            f"dokku ps:rebuild {app}"
        )
    app_json_schema.check(known[0].app_json)
    return known[0], before[0], autoscaler[0]


def _until_left(cluster: Cluster, before: State, options: Options, app: str) -> State:
    """An app that was destroyed a moment ago may still be on its way out: a new one of that name has to wait."""
    deadline = time.monotonic() + options.timeout
    said: list[str] = []
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
        before = state.read(cluster, app, options.namespace)
    return before


def _model(
    known: Facts, before: State, options: Options, image_tag: str, process_type: str, *, tls: Tls
) -> App:
    if not before.knows_sleep:
        version = ".".join(map(str, before.version))
        log.warn(f"Kubernetes {version} has no sleep action (1.30 has): pods that stop may lose requests")
    return assemble.app(
        known,
        namespace=options.namespace,
        deployment_id=str(int(time.time())),
        image=assemble.image(known, image_tag, before.newest),
        target=process_type,
        stored=before.newest,
        selectors=before.selectors(known.app),
        cron_suffixes=before.cron_suffixes(),
        pull_secret=assemble.pull_secret(known, options.pull_secret),
        ingress_class=options.ingress_class,
        deploy_timeout=options.timeout,
        pre_stop=PRE_STOP if before.knows_sleep else 0,
        tls=tls,
        shm_size=options.shm_size,
    )


def _without_snippets(model: App, refusal: resources.Refused) -> App:
    """The app for a cluster that forbids snippets. Errors: the refusal, when it is about anything else."""
    reason = routes.forbids_snippets(model, refusal)
    if not reason:
        raise refusal
    log.warn(reason)
    return replace(model, snippets=False)


def _chart(model: App, wanted: Sequence[Object]) -> Mapping[str, str]:
    image = model.image
    values = chart.app_values(
        app=model.name,
        namespace=model.namespace,
        deployment_id=model.deployment_id,
        image={"name": image.reference, "type": image.kind, "working_dir": image.working_dir},
        processes=_processes(model),
    )
    return chart.files(model.name, f"0.0.{model.deployment_id}", wanted, values)


def _processes(model: App) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {
        process.type: {
            "deployment_id": process.deployment_id,
            "process_type": "web" if process.type == "web" else "worker",
            "replicas": process.scale,
        }
        for process in model.processes
    }
    for task in model.cron:
        known = {"id": task.id, "schedule": task.schedule, "suffix": task.suffix, "suspend": task.suspend}
        found[task.id] = {"deployment_id": model.deployment_id, "process_type": "cron", "cron": known}
    return found


def _dry_run(
    cluster: Cluster,
    wanted: Sequence[Object],
    current: Release | None,
    owner: str,
    legacy: Sequence[Object] = (),
    *,
    namespace: str = "default",
) -> None:
    """Let the API server check all objects before the first one changes.

    An Ingress that is about to be deleted may stand in the way of its successor: that refusal does not count.
    """
    checker = resources.Resources(cluster, namespace)
    known = {
        resources.key(item): item for item in resources.manifest_objects(current.manifest if current else "")
    }
    leaving = [f"{item['metadata']['namespace']}/{item['metadata']['name']}" for item in legacy]
    for item in wanted:
        try:
            checker.dry_run(item, known.get(resources.key(item)), owner)
        except resources.Refused as error:
            if not any(ingress in error.message for ingress in leaving):
                raise


def _remaining(model: App, wanted: Sequence[Object]) -> App:
    """The app with those of its processes that have a Deployment: a kustomization may have taken one away."""
    deployments = {item["metadata"]["name"] for item in wanted if item["kind"] == "Deployment"}
    processes = [item for item in model.processes if f"{model.name}-{item.type}" in deployments]
    return replace(model, processes=processes)


def _end_pending(cluster: Cluster, before: State) -> None:
    """Our locks are held: whoever left a revision pending is dead, with its helm."""
    for revision in (before.newest, *before.auxiliary.values()):
        if revision is not None and revision.status in PENDING:
            log.detail(
                f"Release {revision.name}: revision {revision.revision} was left unfinished, taking over"
            )
            release.set_status(cluster, revision, "failed", _INTERRUPTED)


def _prune_pull_secrets(cluster: Cluster, model: App, before: State) -> None:
    """helm's merge leaves list entries alone that no manifest of it ever had: such pull secrets go here."""
    kept = resources.manifest_objects(before.newest.manifest) if before.newest else ()
    known = {item["metadata"]["name"]: _pull_secrets(item) for item in kept if item["kind"] == "Deployment"}
    wanted = {model.pull_secret} if model.pull_secret else set()
    for live in before.deployments:
        deployment = live["metadata"]["name"]
        if deployment in known and _pull_secrets(live) - known[deployment] - wanted:
            secrets = [{"name": secret} for secret in sorted(wanted)]
            path = f"/apis/apps/v1/namespaces/{name(model.namespace)}/deployments/{name(deployment)}"
            cluster.merge(path, {"spec": {"template": {"spec": {"imagePullSecrets": secrets}}}})


def _pull_secrets(deployment: Object) -> set[str]:
    return {entry["name"] for entry in deployment["spec"]["template"]["spec"].get("imagePullSecrets") or ()}


def _remember(app: str, namespace: str) -> None:
    """Where the app is, for the time when its properties or the cluster have changed or gone."""
    known = {
        "namespace": namespace,
        "kubeconfig-path": target.kubeconfig_path(),
        "kube-context": target.kube_context(),
        "release": app,
    }
    properties.replace_file(
        f"{host.data(app)}/deployed.json", json.dumps(known, sort_keys=True).encode() + b"\n"
    )
