"""What a deploy is going to do, worked out before anything changes. `deploy` carries it out, `preview` shows it.

Facts of dokku and of the cluster -> model -> objects -> chart; then the API server's opinion in a dry run.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scheduler_k3s import app_json_schema, assemble, log, rollout, scaling, settings
from scheduler_k3s.app import App, Image, Tls
from scheduler_k3s.dokku import facts, triggers
from scheduler_k3s.dokku.facts import Facts
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart, objects
from scheduler_k3s.operations import auxiliary, claims, keda, kustomization, neighbours, routes, state
from scheduler_k3s.operations.imported import NONE as NO_CERTIFICATE
from scheduler_k3s.operations.imported import Imported
from scheduler_k3s.operations.state import State
from scheduler_k3s.rollout import Rollout
from scheduler_k3s.scaling import Keda
from scheduler_k3s.tools import resources
from scheduler_k3s.tools.cluster import Cluster, Object
from scheduler_k3s.tools.release import Release

PRE_STOP = 5
"""Seconds that a pod goes on serving after it is told to stop, until every router has forgotten it."""


@dataclass(frozen=True)
class Options:
    """The settings of one deploy, checked. `timeout` is in seconds."""

    namespace: str
    timeout: float
    rollback: bool
    pull_secrets: str
    ingress_class: str
    shm_size: str

    @classmethod
    def of(cls, app: str) -> "Options":
        return cls(
            namespace=settings.checked(app, "namespace"),
            timeout=settings.seconds(settings.checked(app, "deploy-timeout")),
            rollback=settings.boolean(settings.checked(app, "rollback-on-failure")),
            pull_secrets=settings.value(app, "image-pull-secrets"),
            ingress_class=settings.value(app, "ingress-class"),
            shm_size=settings.checked(app, "shm-size"),
        )


@dataclass(frozen=True)
class Gathered:
    """What dokku knows of the app, and what the cluster holds of it. `imported` is the certificate of its domains
    that dokku has, once the plan is made."""

    known: Facts
    before: State
    autoscaler: Keda
    imported: Imported = NO_CERTIFICATE


@dataclass(frozen=True)
class Ids:
    """The deployment id of the processes that are to get new pods: of all, or of `target` alone. With `held`,
    every process keeps the id that it has."""

    deployment: str
    target: str = ""
    held: bool = False

    @classmethod
    def new(cls, target: str, held: bool = False) -> "Ids":
        return cls(str(int(time.time())), target, held)


@dataclass(frozen=True)
class Plan:
    """`files` is the chart of the app's release, `warnings` what the user should know before it is installed."""

    gathered: Gathered
    app: App
    objects: Sequence[Object]
    files: Mapping[str, str]
    warnings: Sequence[str]


def gather(app: str, namespace: str, cluster: Cluster) -> Gathered:
    """dokku and the cluster are asked at the same time. Errors: PluginError."""
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
    newest = before[0].newest
    if newest is not None and not newest.is_dokkus:
        raise PluginError(
            f"The helm release {app} in namespace {namespace} was not made by dokku. Rename the app, or give it "
            f"another namespace: dokku scheduler-k3s:set {app} namespace NAME"
        )
    app_json_schema.check(known[0].app_json)
    return Gathered(known[0], before[0], autoscaler[0])


def make(gathered: Gathered, cluster: Cluster, options: Options, image: Image, ids: Ids) -> Plan:
    """Errors: PluginError for whatever can be refused without asking the API server about the objects."""
    known, before = gathered.known, gathered.before
    found = routes.read(cluster, known.app, options.namespace)
    gathered = replace(gathered, imported=found.imported)
    model = routes.fitted(cluster, _model(gathered, options, image, ids, tls=found.tls))
    model = scaling.fitted(model, gathered.autoscaler)
    told = routes.check(model, found)
    neighbours.check(cluster, model, before)
    claims.check(cluster, model)
    return _with_objects(gathered, model, told)


def checked(plan: Plan, cluster: Cluster, legacy: Sequence[Object] = ()) -> Plan:
    """The plan once the API server has accepted all its objects, without snippets where those are forbidden.

    Errors: resources.Refused.
    """
    try:
        _dry_run_all(plan, cluster, legacy)
    except resources.Refused as error:
        reason = routes.forbids_snippets(plan.app, error)
        if not reason:
            raise
        plan = _with_objects(plan.gathered, replace(plan.app, snippets=False), [*plan.warnings, reason])
        _dry_run_all(plan, cluster, legacy)
    return plan


def files(plan: Plan, part: Sequence[Object]) -> Mapping[str, str]:
    """The chart with only a part of the objects."""
    return _chart(plan.app, part)


def rollouts(plan: Plan) -> list[Rollout]:
    """What is to be watched, by the names that a kustomization has given."""
    return rollout.of(plan.app.name, plan.app.namespace, plan.objects)


def _model(gathered: Gathered, options: Options, image: Image, ids: Ids, *, tls: Tls) -> App:
    known, before = gathered.known, gathered.before
    if not before.knows_sleep:
        version = ".".join(map(str, before.version))
        log.warn(f"Kubernetes {version} has no sleep action (1.30 has): pods that stop may lose requests")
    return assemble.app(
        known,
        namespace=options.namespace,
        deployment_id=ids.deployment,
        image=image,
        target=ids.target,
        held=ids.held,
        stored=before.newest,
        selectors=before.selectors(known.app),
        cron_suffixes=before.cron_suffixes(),
        pull_secrets=assemble.pull_secrets(known, options.pull_secrets),
        ingress_class=options.ingress_class,
        deploy_timeout=options.timeout,
        pre_stop=PRE_STOP if before.knows_sleep else 0,
        tls=tls,
        shm_size=options.shm_size,
    )


def _with_objects(gathered: Gathered, app: App, told: Sequence[str]) -> Plan:
    wanted = kustomization.apply(app.name, objects.build(app))
    warnings = [*told, *objects.warnings(app), *kustomization.losses(app, wanted)]
    files = auxiliary.checked(app.name, _chart(app, wanted))
    return Plan(gathered, app, wanted, files, list(dict.fromkeys(warnings)))


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


def _dry_run_all(plan: Plan, cluster: Cluster, legacy: Sequence[Object]) -> None:
    app, newest = plan.app, plan.gathered.before.newest
    dry_run(cluster, plan.objects, newest, app.name, legacy, namespace=app.namespace)


def dry_run(
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
