"""The model of an app as it is to run: what a deploy gathers, and all that the manifests are made from.

No input, no output. Names are dokku's (app, process type, scale) and Kubernetes' (image, probe, resources).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scheduler_k3s.autoscaling import Autoscaling
from scheduler_k3s.scaling import Keda
from scheduler_k3s.secret import Secret

Resources = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Image:
    """`kind` is `dockerfile`, `herokuish` or `pack`; `working_dir` is empty where the image names none."""

    reference: str
    kind: str = "dockerfile"
    working_dir: str = ""


@dataclass(frozen=True)
class Port:
    """A port map of dokku: what the proxy listens on (`host`) and what the container does (`container`)."""

    scheme: str
    host: int
    container: int

    @property
    def name(self) -> str:
        return f"{self.scheme}-{self.host}-{self.container}"

    @property
    def protocol(self) -> str:
        return "UDP" if self.scheme == "udp" else "TCP"


@dataclass(frozen=True)
class Process:
    """One process type. `ports` is empty unless the process has a Service.

    `args` are the words of its command, empty for the image's own. `checks` are its healthchecks of app.json;
    `default_check` says whether it gets a readiness probe when it has none of its own.
    """

    type: str
    scale: int
    deployment_id: str
    args: Sequence[str] = ()
    ports: Sequence[Port] = ()
    primary_port: int | None = None
    checks: Sequence[Mapping[str, Any]] = ()
    default_check: bool = True
    resources: Resources = field(default_factory=dict)
    selector: Mapping[str, str] = field(default_factory=dict)
    service_port: int = 80
    autoscaling: Autoscaling | None = None

    @property
    def has_service(self) -> bool:
        return bool(self.ports)

    @property
    def replicas(self) -> int | None:
        """None where an autoscaler decides."""
        return self.autoscaling.start if self.autoscaling else self.scale


@dataclass(frozen=True)
class CronTask:
    """One scheduled command of app.json. `id` is dokku's, `hash` its short form for labels, `suffix` what tells
    its CronJob from the others of the app; `policy` is Kubernetes' word.
    """

    id: str
    hash: str
    suffix: str
    schedule: str
    args: Sequence[str]
    policy: str = "Allow"
    suspend: bool = False
    resources: Resources = field(default_factory=dict)


@dataclass(frozen=True)
class Tls:
    """Where the certificate of the app's domains is: the Secret's name, empty for plain HTTP.

    `issuer` is empty when the certificate was imported. With `email`, the app's own address at letsencrypt, the
    issuer is part of the app's release; `server` is then letsencrypt's `prod` or `stag`.
    """

    secret: str = ""
    issuer_kind: str = ""
    issuer: str = ""
    server: str = ""
    email: str = ""


@dataclass(frozen=True)
class Security:
    """What docker options grant to the containers and take from them."""

    added: Sequence[str] = ()
    dropped: Sequence[str] = ()
    privileged: bool = False
    sysctls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mount:
    """A place in the containers where a volume claim of the app's namespace is seen."""

    claim: str
    path: str
    sub_path: str = ""
    read_only: bool = False


@dataclass(frozen=True)
class App:
    """`annotations` and `labels` map `<process type>.<resource type>` to what the user set there, with
    `--global` standing for all processes. Times are in seconds. `warnings` say what of dokku's facts is left out.
    `snippets`: the cluster takes snippets of nginx configuration. `traefik_syntax`: its Traefik wants to be told
    the version of a matcher's syntax.
    """

    name: str
    namespace: str
    deployment_id: str
    image: Image
    processes: Sequence[Process]
    domains: Sequence[str] = ()
    config: Mapping[str, Secret] = field(default_factory=dict)
    pull_secrets: Sequence[str] = ()
    ingress_class: str = "nginx"
    nginx: Mapping[str, str] = field(default_factory=dict)
    tls: Tls = Tls()
    snippets: bool = True
    traefik_syntax: bool = False
    stop_timeout: int = 30
    deploy_timeout: float = 300.0
    pre_stop: int = 0
    security: Security = field(default_factory=Security)
    mounts: Sequence[Mount] = ()
    shm_size: str = ""
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cron: Sequence[CronTask] = ()
    keda: Keda = field(default_factory=Keda)
    warnings: Sequence[str] = ()

    def process(self, type_: str) -> Process | None:
        return next((process for process in self.processes if process.type == type_), None)


def web_ports(mappings: Sequence[Port], tls: bool) -> tuple[Port, ...]:
    """The ports of `web`: http and https maps, with the other half of each pair that a router needs.

    With TLS every http map gets its https twin on 443; every https map gets its http twin on 80, where the
    redirect lives. A Service has each port once: where 443 or 80 is another map's already, there is no twin.
    Other schemes are not routed by an ingress and are left out, unless the container listens on 80 or 443.
    """
    kept = [port for port in mappings if is_web(port)]
    taken = {port.host for port in kept}
    for port in list(kept):
        if port.scheme == "http" and tls:
            twin = Port("https", 443, port.container)
        elif port.scheme == "https":
            twin = Port("http", 80, port.container)
        else:
            continue
        if twin.host not in taken:
            taken.add(twin.host)
            kept.append(twin)
    return tuple(sorted(kept, key=lambda port: port.name))


def distinct(ports: Sequence[Port]) -> list[Port]:
    """Without each https port whose http twin on port 80 leads to the same container port."""
    names = {port.name for port in ports}
    return [port for port in ports if port.scheme != "https" or f"http-80-{port.container}" not in names]


def is_web(port: Port) -> bool:
    return port.scheme in ("http", "https") or port.container in (80, 443)


def primary(mappings: Sequence[Port]) -> Port:
    """The map that PORT and the Service's routes speak of: the first with a container port, in dokku's order."""
    return next((port for port in mappings if port.container), Port("http", 80, 5000))


def primary_port_name(ports: Sequence[Port]) -> str:
    """The Service port that an Ingress routes to. Where several qualify, the last by name is taken."""
    names = [port.name for port in ports]
    for prefix in ("https-443-", "http-80-"):
        if found := [name for name in names if name.startswith(prefix)]:
            return found[-1]
    for scheme in ("https", "http"):
        if found := [port.name for port in ports if port.scheme == scheme]:
            return found[0]
    return names[0]
