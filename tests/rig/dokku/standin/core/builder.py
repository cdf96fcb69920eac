"""builder: makes the app's image, releases it, and hands it to the scheduler."""

import os

from .. import docker, lifecycle, log, props, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail
from . import ps, registry

DESCRIPTION = "dokku core builder plugin"
SETTINGS = ["build-dir", "selected"]


def _image(app: str, tag: str = "latest") -> str:
    return f"dokku/{app}:{tag}"


def _labels(app: str, stage: str) -> dict[str, str]:
    return {
        "com.dokku.app-name": app,
        "com.dokku.builder-type": "dockerfile",
        "com.dokku.image-stage": stage,
        "dokku": "",
    }


def builder_detect(words: list[str]) -> None:
    if os.path.isfile(os.path.join(words[1], "Dockerfile")):
        log.line("dockerfile")


def builder_get_property(words: list[str]) -> None:
    if words[1] not in ("detected", *SETTINGS):
        raise Fail(f"Invalid property specified: {words[1]}")
    log.line(props.get("builder", words[0], words[1]))


def builder_set_property(words: list[str]) -> None:
    props.put("builder", *words[:3])


def builder_build(words: list[str]) -> None:
    kind, app, directory = words
    if kind != "dockerfile":
        raise Fail(f"Unable to build with {kind}")
    log.step(f"Building {app} from Dockerfile")
    docker.build(directory, _image(app), _labels(app, "build"))
    exposed = docker.config(_image(app)).get("ExposedPorts")
    ports = [port.partition("/")[0] for port in exposed] if isinstance(exposed, dict) else []
    detected = [f"http:{port}:{port}" for port in sorted(ports, key=int)] or ["http:80:5000"]
    triggers.must_fire("ports-set-detected", app, *detected)


def builder_release(words: list[str]) -> None:
    kind, app = words[:2]
    log.step(f"Releasing {app}...")
    triggers.must_fire("pre-release-builder", kind, app, _image(app))
    docker.derive(_image(app), _image(app), _labels(app, "release"))
    triggers.must_fire("post-release-builder", kind, app, _image(app))


def _fetch(app: str, tag: str) -> bool:
    """Makes dokku/<app>:latest the image of that tag, pulled if need be. False: there is none to release."""
    if tag in ("", "latest"):
        return docker.exists(_image(app))
    if not docker.exists(_image(app)):
        full = f"{registry.server(app)}{registry.repo(app)}:{tag}"
        if not docker.exists(full):
            docker.run("pull", full)
        docker.run("tag", full, _image(app))
    return True


def release_and_deploy(words: list[str]) -> int:
    """<app> [<tag>] [<why>]"""
    app, tag = [*words, ""][:2]
    if not _fetch(app, tag):
        log.exclaim(f"App image ({_image(app)}) not found")
        return 0
    kind = props.get("builder", app, "detected", "dockerfile")
    if code := triggers.fire("builder-release", kind, app, tag or "latest"):
        return code
    if ps.setting(app, "skip-deploy") == "true":
        log.step("Skipping deployment")
        return 0
    if code := triggers.fire("deploy", app, tag or "latest"):
        return code
    log.headline("Application deployed:")
    for url in triggers.ask("domains-urls", app, "urls").split():
        log.detail(url)
    log.line("")
    return 0


def deploy(words: list[str]) -> int:
    """<app> <tag> [<process type>]"""
    app, tag, kind = [*words, ""][:3]
    scheduler = triggers.scheduler(app)
    log.step(f"Deploying {app} via the {scheduler} scheduler...")
    return triggers.fire("scheduler-deploy", scheduler, app, tag, kind)


def facts(app: str) -> report.Facts:
    stored = {name: props.get("builder", app, name) for name in SETTINGS}
    return {
        **stored,
        **{f"computed-{name}": props.computed("builder", app, name) for name in SETTINGS},
        "detected": props.get("builder", app, "detected"),
    }


show = report.command("builder", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("builder"),
    "builder-build": builder_build,
    "builder-detect": builder_detect,
    "builder-get-property": builder_get_property,
    "builder-release": builder_release,
    "builder-set-property": builder_set_property,
    "deploy": deploy,
    "release-and-deploy": release_and_deploy,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the builders of apps"),
    "report": (show, "[<app>] [<flag>], Show the builders of apps"),
    "set": (
        report.setter("builder", SETTINGS),
        "<app>|--global <property> (<value>), Set or clear a builder property",
    ),
}
