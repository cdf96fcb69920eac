"""app-json: app.json and the scripts in it."""

import os

from .. import docker, lifecycle, log, perdeploy, props, report
from ..kinds import Commands, Triggers
from ..log import Fail
from . import config, ps

DESCRIPTION = "dokku core app-json plugin"
SETTINGS = ["appjson-path"]
# Top-level keys and the types they must have.
KNOWN = {
    "buildpacks": list,
    "cron": list,
    "env": dict,
    "formation": dict,
    "healthchecks": dict,
    "scripts": dict,
}
Content = dict[str, object]


def plain_json(text: str) -> str:
    """Without comments and trailing commas, strings untouched."""
    import re

    pattern = r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/'
    without_comments = re.sub(pattern, lambda found: found[1] or "", text, flags=re.S)
    return re.sub(
        r'("(?:\\.|[^"\\])*")|,(?=\s*[\]}])', lambda found: found[1] or "", without_comments, flags=re.S
    )


def content(app: str) -> Content:
    import json

    text = perdeploy.current("app-json", app, "app.json")
    if not text.strip():
        return {}
    try:
        found = json.loads(plain_json(text))
    except ValueError as error:
        raise Fail(f"Unable to parse app.json: {error}") from None
    if not isinstance(found, dict):
        raise Fail("Unable to parse app.json: not an object")
    for key, kind in KNOWN.items():
        if found.get(key) is not None and not isinstance(found[key], kind):
            raise Fail(f"Unable to parse app.json: {key} has the wrong type")
    return {key: found[key] for key in KNOWN if found.get(key) is not None}


def _at(found: object, *path: str) -> object:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def script(app: str, *path: str) -> str:
    found = _at(content(app), "scripts", *path)
    return found if isinstance(found, str) else ""


def app_json_get_content(words: list[str]) -> None:
    import json

    log.line(json.dumps(content(words[0]), separators=(",", ":")))


def core_post_extract(words: list[str]) -> None:
    app, source = words[:2]
    perdeploy.extract(
        "app-json", app, "app.json", source, props.computed("app-json", app, "appjson-path", "app.json")
    )


def core_post_deploy(words: list[str]) -> None:
    perdeploy.promote("app-json", words[0], "app.json")


def _container(app: str, image: str, command: str) -> str:
    """Runs the command in the image to its end, shows its output, and returns the container."""
    variables = config.merged(app)
    names = [word for name in variables for word in ("--env", name)]
    os.environ.update(variables)  # the values reach docker by its environment, the names by its arguments
    container = docker.must_answer("create", *names, "--entrypoint", "/bin/sh", image, "-c", command)
    try:
        docker.run("start", "--attach", container)
    except Fail as failure:
        docker.answer("rm", "--force", container)
        raise Fail(f"Command failed: {command}", failure.code) from None
    return container


def _run(app: str, image: str, command: str) -> None:
    docker.answer("rm", "--force", _container(app, image, command))


def _commit(container: str, image: str) -> None:
    """Keeps what the script changed, but not that the script was the container's command."""
    import json

    original = docker.config(image)
    instructions = [
        f"{name} {json.dumps(original.get(key) or [])}\n"
        for name, key in (("ENTRYPOINT", "Entrypoint"), ("CMD", "Cmd"))
    ]
    changed = docker.must_answer("commit", container)
    docker.derive(changed, image, {}, "".join(instructions))
    docker.answer("rm", "--force", container)


def _add_environment(app: str) -> None:
    known = config.load(app)
    added = {}
    variables = content(app).get("env")
    for name, wanted in variables.items() if isinstance(variables, dict) else ():
        value = _at(wanted, "value") if isinstance(wanted, dict) else wanted
        if _at(wanted, "generator") == "secret":
            value = os.urandom(32).hex()
        if name in known:
            continue
        if value is not None:
            added[name] = str(value)
        elif not isinstance(wanted, dict) or wanted.get("required", True):
            raise Fail(f"Missing required value for env key {name}")
    if added:
        config.change(app, added, [])


def pre_release_builder(words: list[str]) -> None:
    app, image = words[1:3]
    _add_environment(app)
    if command := script(app, "dokku", "predeploy"):
        log.step(f"Executing predeploy task from app.json: {command}")
        _commit(_container(app, image, command), image)


def _apply_formation(app: str) -> None:
    """Quantities in app.json take the scale out of ps:scale's hands."""
    formation = content(app).get("formation")
    kinds = formation if isinstance(formation, dict) else {}
    quantities = {kind: _at(found, "quantity") for kind, found in kinds.items()}
    counts = {kind: count for kind, count in quantities.items() if isinstance(count, int)}
    props.put_or_delete("ps", app, "can-scale", "false" if counts else "")
    if counts:
        ps.store_scale(app, {**ps.scale(app), **counts})


def post_release_builder(words: list[str]) -> None:
    app, image = words[1:3]
    if command := ps.procfile(app).get("release"):
        log.step(f"Executing release task from Procfile: {command}")
        _run(app, image, command)
    _apply_formation(app)
    first = props.get("common", app, "deployed") != "true"
    if first and (command := script(app, "postdeploy")):
        log.step(f"Executing postdeploy task from app.json: {command}")
        _run(app, image, command)


def post_deploy(words: list[str]) -> None:
    app = words[0]
    if command := script(app, "dokku", "postdeploy"):
        log.step(f"Executing postdeploy task from app.json: {command}")
        _run(app, f"dokku/{app}:latest", command)


def facts(app: str) -> report.Facts:
    computed = props.computed("app-json", app, "appjson-path", "app.json")
    return {
        "appjson-path": props.get("app-json", app, "appjson-path"),
        "computed-appjson-path": computed,
        "global-appjson-path": props.get("app-json", props.GLOBAL, "appjson-path", "app.json"),
    }


show = report.command("app-json", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("app-json"),
    "app-json-get-content": app_json_get_content,
    "core-post-deploy": core_post_deploy,
    "core-post-extract": core_post_extract,
    "post-deploy": post_deploy,
    "post-release-builder": post_release_builder,
    "pre-release-builder": pre_release_builder,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the app.json settings of apps"),
    "report": (show, "[<app>] [<flag>], Show the app.json settings of apps"),
    "set": (
        report.setter("app-json", SETTINGS),
        "<app>|--global <property> (<value>), Set or clear an app.json property",
    ),
}
