"""Gathers what dokku knows of an app, each question once and all at the same time.

One `plugn trigger` costs 130 ms of processor time, and a deploy has a dozen questions: files are read where
they are dokku's own interface, listeners are asked directly for the rest.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scheduler_k3s import jsonc, trigger_auth
from scheduler_k3s.app import Port
from scheduler_k3s.decorations import LABELS
from scheduler_k3s.dokku import decoration_files, extracted, host, properties, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

ALL = "_all_"


@dataclass(frozen=True)
class Facts:
    """dokku's answers, parsed but not yet judged. `inspected` is None when the image is not on this host.

    `docker_options` are those of the deploy phase by process type, `_default_` for all. `names_registry` says
    whether a registry server is set; `host_proxy` whether dokku builds a site of this host for the app, and
    `host_proxy_own` whether that is the app's own setting. `reserved` are annotations and labels that are left out.
    """

    app: str
    repository: str
    image_repo: str
    image_tag: str
    push_on_release: bool
    inspected: Mapping[str, Any] | None
    scale: Mapping[str, int]
    config: Mapping[str, Secret]
    ports: tuple[Port, ...]
    domains: tuple[str, ...]
    nginx: Mapping[str, str]
    procfile: Mapping[str, str]
    app_json: Mapping[str, Any]
    start_command: str
    dockerfile_start_command: str
    resources: Mapping[str, str]
    stop_timeout: str
    checks_disabled: frozenset[str]
    docker_config: Secret
    annotations: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, Mapping[str, str]]
    cron: Mapping[str, str] = field(default_factory=dict)
    trigger_auth: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)
    docker_options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mounts: Sequence[Mapping[str, Mapping[str, Any]]] = ()
    names_registry: bool = True
    host_proxy: bool = False
    host_proxy_own: bool = False
    reserved: Sequence[tuple[str, str, str, str]] = ()

    def image(self, tag: str) -> str:
        """The reference that the cluster pulls. dokku's own tag wins over the one a trigger was called with."""
        return f"{self.repository}{self.image_repo}:{self.image_tag or tag or 'latest'}"


def gather(app: str) -> Facts:
    """Errors: PluginError naming the question that dokku could not answer."""
    questions = {
        "repository": lambda: triggers.ask("deployed-app-repository", app).strip(),
        "image_repo": lambda: triggers.ask("deployed-app-image-repo", app).strip(),
        "image_tag": lambda: triggers.ask("deployed-app-image-tag", app).strip(),
        "scale": lambda: parse_scale(app, triggers.ask("ps-current-scale", app)),
        "config": lambda: _config(app),
        "ports": lambda: parse_ports(triggers.ask("ports-get", app, "json")),
        "domains": lambda: _domains(app),
        "nginx": lambda: nginx(app),
        "mounts": lambda: parse_mounts(triggers.ask("storage-app-mounts", app, "deploy")),
        "inspected": lambda: inspect(f"dokku/{app}:latest"),
    }
    answers = dict(zip(questions, triggers.together(list(questions.values())), strict=True))
    return Facts(
        app=app,
        push_on_release=properties.computed(app, "push-on-release", plugin="registry") == "true",
        procfile=procfile(app),
        app_json=app_json(app),
        start_command=properties.read(app, "start-cmd", plugin="ps"),
        dockerfile_start_command=properties.read(app, "dockerfile-start-cmd", plugin="ps"),
        resources={
            name: properties.read(app, name, plugin="resource") for name in properties.names(app, "resource")
        },
        stop_timeout=properties.computed(app, "stop-timeout-seconds", "30", plugin="ps"),
        checks_disabled=_checks_disabled(app),
        docker_config=docker_config(app),
        annotations=decoration_files.read(app, ""),
        labels=decoration_files.read(app, LABELS),
        reserved=decoration_files.left_out(app),
        cron=cron_properties(app),
        trigger_auth=trigger_auth.stored(app),
        docker_options=docker_options(app, "deploy"),
        names_registry=bool(properties.computed(app, "server", plugin="registry").strip()),
        host_proxy=builds_site(app),
        host_proxy_own=bool(properties.read(app, "type", plugin="proxy")),
        **answers,  # type: ignore[arg-type]
    )


def parse_scale(app: str, text: str) -> dict[str, int]:
    scale = {}
    for line in text.splitlines():
        type_, _, count = line.strip().partition("=")
        if type_ and count.isascii() and count.isdigit():
            scale[type_] = int(count)
        elif line.strip():
            raise PluginError(f"Invalid scale entry for app {app}: {line!r}, expected TYPE=COUNT")
    return scale


def _config(app: str) -> dict[str, Secret]:
    """dokku's answer puts U+FFFD in the place of what is not UTF-8: its files tell whether a user has put it there.

    Errors: PluginError naming the keys.
    """
    values = parse_config(triggers.ask("config-export", app, "false", "true", "json"))
    damaged = [key for key, value in sorted(values.items()) if "\ufffd" in value.reveal()]
    if damaged and not all(_is_utf_8(f"{host.root()}/{path}") for path in ("ENV", f"{app}/ENV")):
        raise PluginError(
            f"Config of {app} has values that are not UTF-8, which Kubernetes requires: {', '.join(damaged)}. "
            "Keep them in base64, or in a file of the image or a volume"
        )
    return values


def _is_utf_8(path: str) -> bool:
    """Also for a file that is not there, or that cannot be read: what is in it is dokku's to say then."""
    try:
        with open(path, encoding="utf-8") as file:
            return all(True for _ in file)
    except UnicodeDecodeError:
        return False
    except OSError:
        return True


def parse_config(text: str) -> dict[str, Secret]:
    values = _json("config-export", text)
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise PluginError("dokku's answer to config-export is not an object of texts")
    return {key: Secret(value) for key, value in values.items()}


def parse_ports(text: str) -> tuple[Port, ...]:
    entries = _json("ports-get", text.strip() or "[]") or []
    try:
        return tuple(Port(str(e["scheme"]), int(e["host_port"]), int(e["container_port"])) for e in entries)
    except (KeyError, TypeError, ValueError):
        raise PluginError("dokku's answer to ports-get is not a list of port maps") from None


def parse_mounts(text: str) -> list[dict[str, dict[str, Any]]]:
    """Storage attachments, each with its entry. None, where no plugin answers."""
    pairs = _json("storage-app-mounts", text.strip() or "[]")
    if pairs is None:
        return []
    known = isinstance(pairs, list) and all(
        isinstance(pair, dict) and all(isinstance(pair.get(part), dict) for part in ("entry", "attachment"))
        for pair in pairs
    )
    if not known:
        raise PluginError("dokku's answer to storage-app-mounts is not a list of entries and attachments")
    return list(pairs)


def docker_options(app: str, phase: str) -> dict[str, list[str]]:
    """The docker options of a phase (build, deploy, run) by process type; `_default_` is for all."""
    suffix = f".{phase}"
    return {
        name.removesuffix(suffix): properties.read_list(app, name, plugin="docker-options")
        for name in properties.names(app, "docker-options")
        if name.endswith(suffix)
    }


def builds_site(app: str) -> bool:
    """Whether dokku's nginx plugin makes a site of this host for the app when it is told of a deploy."""
    wanted = properties.computed(app, "type", "nginx", plugin="proxy") == "nginx"
    enabled = properties.read(app, "disabled", plugin="proxy") != "true"
    return wanted and enabled and os.path.isdir(f"{host.enabled_plugins()}/nginx-vhosts")


def inspect(image: str) -> Mapping[str, Any] | None:
    """docker's description of a local image, None when it is not here (or docker is not)."""
    import subprocess

    try:
        done = triggers.output([os.environ.get("DOCKER_BIN") or "docker", "image", "inspect", image], 30)
        found = json.loads(done.stdout or b"[]")
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return found[0] if done.returncode == 0 and found else None


def procfile(app: str) -> dict[str, str]:
    """Process type to command, as the Procfile has it: dokku's own answer has its variables already replaced."""
    import re

    text = extracted.read("ps", app, "Procfile") or ""
    entries = {}
    for line in text.split("\n"):
        if match := re.match(r"^([A-Za-z0-9_-]+):\s*(.*?)\s*$", line):
            entries[match[1]] = match[2]
    return entries


def app_json(app: str) -> dict[str, Any]:
    """Errors: PluginError when the file is not JSON (comments and trailing commas are allowed)."""
    text = extracted.read("app-json", app, "app.json")
    if not text or not text.strip():
        return {}
    try:
        content = jsonc.loads(text)
    except PluginError as error:
        raise PluginError(f"app.json of {app}: {error.message}") from None
    if not isinstance(content, dict):
        raise PluginError(f"app.json of {app}: not a JSON object")
    return content


def cron_properties(app: str) -> dict[str, str]:
    """The cron plugin's properties of the app. Maintenance of all apps is maintenance of this one."""
    found = {name: properties.read(app, name, plugin="cron") for name in properties.names(app, "cron")}
    if properties.read(properties.GLOBAL, "maintenance", plugin="cron") == "true":
        found["maintenance"] = "true"
    return found


def docker_config(app: str) -> Secret:
    """Registry credentials: the app's own login when it has one, else the dokku user's. Empty for none."""
    own = f"{host.lib_root()}/config/registry/{app}/config.json"
    for path in (own, f"{host.root()}/.docker/config.json"):
        try:
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise PluginError(f"Unable to read the registry credentials in {path}: {error}") from None
        try:
            logged_in = bool(json.loads(text).get("auths"))
        except (ValueError, AttributeError):
            raise PluginError(
                f"Unable to read the registry credentials in {path}: not a docker config. "
                "Log in again with: dokku registry:login SERVER USER"
            ) from None
        if logged_in or path != own:
            return Secret(text)
    return Secret("")


def _domains(app: str) -> tuple[str, ...]:
    if not triggers.succeeds("domains-vhost-enabled", app):
        return ()
    lines = triggers.ask("domains-list", app).splitlines()
    return tuple(sorted({line.strip() for line in lines if line.strip()}))


def nginx(app: str) -> dict[str, str]:
    """The computed nginx properties. The nginx plugin has no trigger for them, its report is the way."""
    import subprocess

    report = f"{host.available_plugins()}/nginx-vhosts/subcommands/report"
    if not os.access(report, os.X_OK):
        return {}
    try:
        done = triggers.output([report, "nginx:report", app, "--format", "json"], triggers.TIMEOUT)
    except subprocess.TimeoutExpired:
        raise PluginError(
            f"nginx:report failed: no answer after {triggers.TIMEOUT:g} s. Try it: dokku nginx:report {app}"
        ) from None
    except OSError as error:
        raise PluginError(f"nginx:report failed: {error.strerror}") from None
    if done.returncode != 0:
        raise PluginError(f"nginx:report failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    answer = _json("nginx:report", done.stdout.decode("utf-8", "replace"))
    if not isinstance(answer, dict):
        raise PluginError("dokku's answer to nginx:report is not an object")
    return {
        key[len("computed-") :]: str(value) for key, value in answer.items() if key.startswith("computed-")
    }


def _checks_disabled(app: str) -> frozenset[str]:
    """Process types that the checks plugin leaves unchecked; `_all_` stands for all of them."""
    types = ",".join(properties.read(app, name, plugin="checks") for name in ("disabled", "skipped"))
    return frozenset(type_.strip() for type_ in types.split(",") if type_.strip())


def _json(question: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise PluginError(f"dokku's answer to {question} is not JSON") from None
