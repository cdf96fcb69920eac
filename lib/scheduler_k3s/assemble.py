"""From dokku's facts to the model of the app. Pure: what is wrong with the facts is said here, in one line each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scheduler_k3s import (
    autoscaling,
    cautions,
    cron,
    docker_options,
    domains,
    environment,
    names,
    quantity,
    storage,
    words,
)
from scheduler_k3s.app import App, CronTask, Image, Port, Process, Resources, Tls, is_web, primary, web_ports
from scheduler_k3s.dokku.facts import ALL, Facts
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.secret import named_pull_secrets, pull_secret_name
from scheduler_k3s.scaling import Keda
from scheduler_k3s.tools.release import Release

EXPOSED = Port("http", 5000, 5000)
PLAIN = Tls()
_HEROKUISH_USER = "herokuishuser"


def image(facts: Facts, tag: str, stored: Release | None) -> Image:
    """Where the image is and how it was built: from the image itself, else as the last release knew it."""
    reference = facts.image(tag)
    if facts.inspected is not None:
        return _inspected(reference, facts)
    kind = stored.value("global.image.type") if stored else ""
    if stored is None or not kind:
        raise PluginError(
            f"App image (dokku/{facts.app}:latest) not found locally and no deployed release to read image metadata "
            f"from. Build it again with: dokku ps:rebuild {facts.app}"
        )
    return Image(reference, kind, stored.value("global.image.working_dir"))


def _inspected(reference: str, facts: Facts) -> Image:
    config = (facts.inspected or {}).get("Config") or {}
    labels = config.get("Labels") or {}
    user = facts.config.get("DOKKU_APP_USER")
    wanted = f"USER={user.reveal() if user else _HEROKUISH_USER}"
    if labels.get("io.buildpacks.stack.id"):
        return Image(reference, "pack", "/workspace")
    if wanted in (config.get("Env") or []):
        return Image(reference, "herokuish", "/app")
    return Image(reference, "dockerfile", config.get("WorkingDir") or "")


def pull_secrets(facts: Facts, property_value: str) -> Sequence[str]:
    """The Secrets that pods pull with: the user's own, else the one made from dokku's logins, else none."""
    return named_pull_secrets(property_value) or (
        (pull_secret_name(facts.app),) if facts.docker_config else ()
    )


def app(
    facts: Facts,
    *,
    namespace: str,
    deployment_id: str,
    image: Image,
    target: str = "",
    held: bool = False,
    stored: Release | None = None,
    selectors: Mapping[str, Mapping[str, str]] | None = None,
    pull_secrets: Sequence[str] = (),
    ingress_class: str = "nginx",
    deploy_timeout: float = 300.0,
    pre_stop: int = 0,
    tls: Tls = PLAIN,
    shm_size: str = "",
    cron_suffixes: Mapping[str, str] | None = None,
) -> App:
    """The app as it is to run. With `target`, only that process type gets the new deployment id and so new pods;
    with `held`, none does.

    `selectors` are those of the live Deployments, by process type: Kubernetes lets nobody change them.
    `cron_suffixes` end the names of the live CronJobs, by task id; a new task gets a random one.
    """
    warnings = cautions.cautions(facts)
    names.check_app(facts.app, pull_secret=pull_secret_name(facts.app) in pull_secrets)
    environment.check(facts.app, facts.config)
    if not facts.scale:
        raise PluginError(
            f"No process types found for app {facts.app}: its scale is empty. "
            f"Set it with: dokku ps:scale {facts.app} web=1"
        )
    if target and target not in facts.scale:
        raise PluginError(f"Process type {target} not found in the scale for app {facts.app}")
    warnings += _unrouted(facts)
    processes = [
        _process(
            facts,
            image,
            type_,
            deployment_id=_id(type_, (held or bool(target)) and type_ != target, deployment_id, stored),
            tls=bool(tls.secret),
            selector=(selectors or {}).get(type_, {}),
            warn=warnings.append,
        )
        for type_ in facts.scale
        if not _is_renamed(facts, type_)
    ]
    return App(
        name=facts.app,
        namespace=namespace,
        deployment_id=deployment_id,
        image=image,
        processes=processes,
        domains=domains.normalised(facts.app, facts.domains) if "web" in facts.scale else (),
        config=facts.config,
        pull_secrets=pull_secrets,
        ingress_class=ingress_class,
        nginx=facts.nginx,
        tls=tls,
        stop_timeout=stop_timeout(facts.app, facts.stop_timeout),
        deploy_timeout=deploy_timeout,
        pre_stop=pre_stop,
        security=docker_options.security(facts.docker_options.get(docker_options.DEFAULT, ())),
        mounts=storage.mounts(facts.app, namespace, facts.mounts, shm_size),
        shm_size=shm_size,
        annotations=facts.annotations,
        labels=facts.labels,
        cron=_cron(facts, cron_suffixes or {}, warnings.append),
        keda=Keda(authentications=facts.trigger_auth),
        warnings=warnings,
    )


def command(facts: Facts, image: Image, type_: str, port: int) -> tuple[str, ...]:
    """The words of a process's command; none means the image's own.

    Errors: PluginError quoting a command that cannot be split.
    """
    if image.kind == "herokuish":
        return ("/start", type_)
    text = facts.start_command or facts.procfile.get(type_, "")
    if image.kind == "dockerfile" and facts.dockerfile_start_command:
        text = facts.dockerfile_start_command
    variables = {key: value.reveal() for key, value in facts.config.items()} | {"PORT": str(port)}
    try:
        found = tuple(words.expand(text, variables))
        " ".join(found).encode()
    except words.WordError as error:
        raise PluginError(f"Error getting start command for deployment: {error.message}") from None
    except UnicodeEncodeError:
        raise PluginError(
            f"Error getting start command for deployment: that of {type_} is not UTF-8, which Kubernetes requires"
        ) from None
    return found


def _is_renamed(facts: Facts, type_: str) -> bool:
    """dokku scales a type that left the Procfile to 0 in one more deploy. One that never could name objects, which a
    deploy refuses, has none to scale."""
    return not facts.scale[type_] and type_ not in facts.procfile and not names.is_legal(type_)


def _process(
    facts: Facts,
    image: Image,
    type_: str,
    *,
    deployment_id: str,
    tls: bool,
    selector: Mapping[str, str],
    warn: Callable[[str], None],
) -> Process:
    names.check_process(facts.app, type_)
    main = primary(facts.ports)
    exposed = _formation(facts, type_).get("service") or {}
    ports: tuple[Port, ...] = ()
    primary_port, service_port = main.container, main.host
    if type_ == "web":
        ports = web_ports(facts.ports or (main,), tls)
    elif isinstance(exposed, Mapping) and exposed.get("exposed") is True:
        ports, primary_port, service_port = (EXPOSED,), EXPOSED.container, EXPOSED.host
    if ports:
        names.check_service(facts.app, type_)
        names.check_ports(facts.app, [port.name for port in ports])
    return Process(
        type=type_,
        scale=facts.scale[type_],
        deployment_id=deployment_id,
        args=() if _runs_on_host(facts, type_) else command(facts, image, type_, primary_port),
        ports=ports,
        primary_port=primary_port,
        checks=_checks(facts, type_),
        default_check=not facts.checks_disabled & {type_, ALL},
        resources=resources(facts.app, facts.resources, type_),
        selector=selector,
        service_port=service_port,
        autoscaling=_autoscaling(facts, type_, bool(ports), warn),
    )


def _autoscaling(
    facts: Facts, type_: str, has_service: bool, warn: Callable[[str], None]
) -> autoscaling.Autoscaling | None:
    section = _formation(facts, type_).get("autoscaling")
    found = autoscaling.parse(facts.app, type_, facts.scale[type_], section, warn)
    if found is not None and found.http is not None and not has_service:
        raise PluginError(
            f"app.json: formation.{type_}.autoscaling: an http trigger counts requests, and {type_} gets none. "
            f"Expose it with formation.{type_}.service.exposed"
        )
    return found


def _cron(facts: Facts, suffixes: Mapping[str, str], warn: Callable[[str], None]) -> list[CronTask]:
    entries = cron.entries(facts.app, facts.app_json, warn)
    if entries:
        names.check_cron(facts.app)
    return [
        CronTask(
            id=entry.id,
            hash=cron.task_hash(entry.id),
            suffix=suffixes.get(entry.id) or cron.new_suffix(),
            schedule=entry.schedule,
            args=entry.args,
            policy=entry.policy,
            suspend=cron.is_suspended(entry.id, entry.maintenance, facts.cron),
            resources=resources(facts.app, facts.resources, entry.id),
        )
        for entry in entries
    ]


def _unrouted(facts: Facts) -> list[str]:
    """One line for the port maps of web that no ingress can route."""
    dropped = [port for port in facts.ports if not is_web(port)] if "web" in facts.scale else []
    if not dropped:
        return []
    maps = ", ".join(f"{port.scheme}:{port.host}:{port.container}" for port in dropped)
    nothing = "" if len(dropped) < len(facts.ports) else ", so web gets no Service and no domain leads to it"
    return [
        f"Port maps of {facts.app} that are neither http nor https are left out: {maps}{nothing}. "
        f"An ingress routes http alone; see dokku ports:report {facts.app}"
    ]


def _runs_on_host(facts: Facts, type_: str) -> bool:
    """dokku runs the Procfile's `release` itself, in a shell: operators are legal there and words are not needed."""
    return type_ == "release" and facts.scale[type_] == 0


def _id(type_: str, kept: bool, new: str, stored: Release | None) -> str:
    """A targeted restart leaves the ids of the other processes as they are, and so their pods."""
    if not kept or stored is None:
        return new
    return (_stored_process(stored, type_) or stored.value("global.deployment_id")) or new


def _stored_process(stored: Release, type_: str) -> str:
    # not a dotted path: a process type of an older installation may hold a dot
    process = (stored.values.get("processes") or {}).get(type_) or {}
    return str(process.get("deployment_id") or "")


def _checks(facts: Facts, type_: str) -> Sequence[Mapping[str, Any]]:
    healthchecks = facts.app_json.get("healthchecks") or {}
    if not isinstance(healthchecks, Mapping):
        raise PluginError("app.json: healthchecks: not an object")
    checks = healthchecks.get(type_) or []
    if not isinstance(checks, list):
        raise PluginError(f"app.json: healthchecks.{type_}: not a list")
    return checks


def _formation(facts: Facts, type_: str) -> Mapping[str, Any]:
    formation = facts.app_json.get("formation") or {}
    entry = formation.get(type_) or {} if isinstance(formation, Mapping) else None
    if not isinstance(entry, Mapping):
        raise PluginError(f"app.json: formation.{type_}: not an object")
    return entry


def resources(app: str, properties: Mapping[str, str], type_: str) -> Resources:
    """What a container of the process type asks for and may use. Errors: PluginError."""
    limits, reserves = _resources(properties, type_)
    try:
        return quantity.requests_and_limits(limits, reserves)
    except PluginError as error:
        raise PluginError(f"Resources of {app} {type_}: {error.message}") from None


def _resources(properties: Mapping[str, str], type_: str) -> tuple[dict[str, str], dict[str, str]]:
    """The limits and reservations of a process type; what it does not set itself comes from `_default_`."""
    found: dict[str, dict[str, str]] = {"limit": {}, "reserve": {}}
    for scope in ("_default_", type_):
        for kind, entries in found.items():
            prefix = f"{scope}.{kind}."
            own = {
                name[len(prefix) :]: value for name, value in properties.items() if name.startswith(prefix)
            }
            entries.update({key: value for key, value in own.items() if value})
    return found["limit"], found["reserve"]


def stop_timeout(app: str, text: str) -> int:
    """dokku's `stop-timeout-seconds`. Errors: PluginError."""
    if not (text.isascii() and text.isdigit()):
        raise PluginError(
            f"Invalid stop-timeout-seconds of {app}: {text!r}, expected whole seconds. "
            f"Set it with: dokku ps:set {app} stop-timeout-seconds 30"
        )
    return int(text)
