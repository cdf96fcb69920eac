"""registry: where images are pushed, under which name and tag, with whose credentials."""

import os
import sys

from .. import apps, args, docker, host, lifecycle, log, props, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail

DESCRIPTION = "dokku core registry plugin"
SETTINGS = ["image-repo", "image-repo-template", "push-extra-tags", "push-on-release", "server"]


def server(app: str) -> str:
    """Ends in a slash unless it is empty, as it is for Docker Hub."""
    name = props.computed("registry", app, "server").strip().removesuffix("/")
    return "" if name in ("", "hub.docker.com", "docker.io") else f"{name}/"


def repo(app: str) -> str:
    chosen = props.get("registry", app, "image-repo")
    if chosen:
        return chosen
    template = props.computed("registry", app, "image-repo-template", "dokku/{{ .AppName }}")
    for spelling in ("{{ .AppName }}", "{{.AppName}}"):
        template = template.replace(spelling, app)
    return template


def pushes(app: str) -> bool:
    return props.computed("registry", app, "push-on-release", "false") == "true"


def config_directory(app: str) -> str:
    """Where docker's config.json is: the app's own, for no app the host's."""
    return host.lib("config", "registry", app) if app else host.root(".docker")


def _credentials(app: str) -> list[str]:
    """The docker option that names the credentials to push with."""
    import json

    own = host.read(os.path.join(config_directory(app), "config.json"))
    return ["--config", config_directory(app if own and json.loads(own).get("auths") else "")]


def _change_auths(app: str, name: str, value: str) -> None:
    import json

    path = os.path.join(config_directory(app), "config.json")
    content = json.loads(host.read(path) or "{}")
    auths = content.setdefault("auths", {})
    auths.pop(name, None)
    if value:
        auths[name] = {"auth": value}
    host.write(path, json.dumps(content, indent=2), 0o600)


def login(words: list[str]) -> None:
    """[app] <server> <user> [password]; the password may come by stdin instead."""
    import base64

    parsed = args.parse(words, "password-stdin global")
    given = parsed.words
    password = (
        sys.stdin.readline().rstrip("\n") if parsed.on("password-stdin") else given.pop() if given else ""
    )
    app = apps.verify(given.pop(0)) if len(given) > 2 else ""
    if len(given) < 2 or not password:
        raise Fail("Expected: server, username and password")
    name, user = given
    _change_auths(app, name, base64.b64encode(f"{user}:{password}".encode()).decode())
    log.line("Login Succeeded")
    triggers.go("post-registry-login", name, user, env={"DOCKER_REGISTRY_PASS": password})


def logout(words: list[str]) -> None:
    parsed = args.parse(words, "global")
    app = apps.verify(parsed.words.pop(0)) if len(parsed.words) > 1 else ""
    _change_auths(app, parsed.word(0), "")


def _push(app: str, image: str, tag: str) -> None:
    full = f"{server(app)}{repo(app)}:{tag}"
    docker.run("tag", image, full)
    docker.run(*_credentials(app), "push", full)


def post_release_builder(words: list[str]) -> None:
    """Pushes the image under the next number, then forgets the local tags older than the last two."""
    app, image = words[1:3]
    if not pushes(app):
        return
    number = int(props.get("registry", app, "tag-version", "0")) + 1
    log.step(f"Pushing {server(app)}{repo(app)}:{number}")
    docker.run("tag", image, f"{repo(app)}:{number}")
    _push(app, image, str(number))
    for tag in props.computed("registry", app, "push-extra-tags").replace(",", " ").split():
        _push(app, image, tag)
    props.put("registry", app, "tag-version", str(number))
    for name in {f"{server(app)}{repo(app)}:{number - 2}", f"{repo(app)}:{number - 2}"}:
        if docker.exists(name):
            docker.answer("image", "rm", name)


def deployed_app_repository(words: list[str]) -> None:
    log.line(server(words[0]))


def deployed_app_image_repo(words: list[str]) -> None:
    log.line(repo(words[0]))


def deployed_app_image_tag(words: list[str]) -> None:
    if pushes(words[0]):
        log.line(props.get("registry", words[0], "tag-version", "1"))


def facts(app: str) -> report.Facts:
    stored = {name: props.get("registry", app, name) for name in SETTINGS}
    shared = {
        f"global-{name}": props.get("registry", props.GLOBAL, name)
        for name in SETTINGS
        if name != "image-repo"
    }
    return {
        **stored,
        **shared,
        "computed-image-repo": repo(app),
        "computed-image-repo-template": props.computed("registry", app, "image-repo-template"),
        "computed-push-extra-tags": props.computed("registry", app, "push-extra-tags"),
        "computed-push-on-release": "true" if pushes(app) else "false",
        "computed-server": server(app),
        "tag-version": props.get("registry", app, "tag-version"),
    }


show = report.command("registry", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("registry"),
    "deployed-app-image-repo": deployed_app_image_repo,
    "deployed-app-image-tag": deployed_app_image_tag,
    "deployed-app-repository": deployed_app_repository,
    "post-release-builder": post_release_builder,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the registry settings of apps"),
    "login": (login, "[--password-stdin] [<app>] <server> <username> [<password>], Log in to a registry"),
    "logout": (logout, "[<app>] <server>, Forget a registry's credentials"),
    "report": (show, "[<app>] [<flag>], Show the registry settings of apps"),
    "set": (
        report.setter("registry", SETTINGS, ["image-repo"]),
        "<app>|--global <property> (<value>), Set or clear a registry property",
    ),
}
