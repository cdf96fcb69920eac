"""apps: creating, destroying, renaming, cloning and listing apps."""

import os
import sys

from .. import apps, args, docker, host, log, props, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail

DESCRIPTION = "dokku core apps plugin"


def _lock(app: str) -> str:
    return host.data("apps", app, ".deploy.lock")


def _make(app: str) -> None:
    if not apps.valid_name(app) or "_" in app:
        raise Fail(
            "App name must begin with lowercase alphanumeric character, "
            "and may only contain lowercase alphanumerics, dots, and hyphens"
        )
    if apps.exists(app):
        raise Fail("Name is already taken")
    host.make_directory(host.root(app))
    host.make_directory(host.data("apps", app))
    triggers.go("post-create", app)


def create(words: list[str]) -> None:
    app = args.parse(words).word(0)
    if not app:
        raise Fail("Please specify an app to run the command on")
    log.step_unless_quiet(f"Creating {app}...")
    _make(app)


def _confirm(app: str) -> None:
    if os.environ.get("DOKKU_APPS_FORCE_DELETE") == "1":
        return
    log.warn("WARNING: Potentially Destructive Action")
    log.warn(f"This command will destroy {app} (including all add-ons).")
    sys.stdout.write(f'To proceed, type "{app}"\n\n> ')
    sys.stdout.flush()
    if sys.stdin.readline().strip() != app:
        raise Fail("Confirmation did not match. Aborted.")


def _destroy(app: str) -> None:
    """The first trigger that fails leaves the rest undone; destroying again starts over."""
    tag = "latest"
    triggers.go("pre-delete", app, tag)
    scheduler = triggers.scheduler(app)
    triggers.go("scheduler-stop", scheduler, app, "true")
    triggers.go("scheduler-post-delete", scheduler, app, tag)
    triggers.go("post-delete", app, tag)
    docker.remove_labelled(f"com.dokku.app-name={app}")
    triggers.go("scheduler-retire", scheduler, app)
    host.remove(host.root(app))


def destroy(words: list[str]) -> None:
    app = apps.verify(args.parse(words, "force").word(0))
    _confirm(app)
    log.step_unless_quiet(f"Destroying {app} (including all add-ons)")
    _destroy(app)


def _pair(words: list[str]) -> tuple[str, str, bool, bool]:
    parsed = args.parse(words, "skip-deploy ignore-existing")
    old, new = apps.verify(parsed.word(0)), parsed.word(1)
    if not new:
        raise Fail("Please specify an app to run the command on")
    return old, new, parsed.on("skip-deploy"), parsed.on("ignore-existing")


def _rebuild(name: str, old: str, new: str, skip: bool) -> None:
    has_code = triggers.try_ask("git-has-code", new)[0] == 0
    triggers.go(name, old, new, env={"SKIP_REBUILD": "true"} if skip or not has_code else {})


def clone(words: list[str]) -> None:
    old, new, skip, ignore = _pair(words)
    if apps.exists(new) and ignore:
        log.warn("Name is already taken")
        return
    log.step_unless_quiet(f"Cloning {old} to {new}")
    _make(new)
    triggers.go("post-app-clone-setup", old, new)
    _rebuild("post-app-clone", old, new, skip)


def rename(words: list[str]) -> None:
    old, new, skip, _ = _pair(words)
    os.environ["DOKKU_APPS_FORCE_DELETE"] = "1"
    log.step_unless_quiet(f"Renaming {old} to {new}")
    _make(new)
    triggers.go("post-app-rename-setup", old, new)
    _destroy(old)
    _rebuild("post-app-rename", old, new, skip)


def list_command(words: list[str]) -> None:
    args.parse(words)
    names = apps.verified_all()
    if names:
        log.headline_unless_quiet("My Apps")
        log.data("\n".join(names))


def exists_command(words: list[str]) -> None:
    apps.verify(args.parse(words).word(0))


def lock(words: list[str]) -> None:
    host.write(_lock(apps.verify(args.parse(words).word(0))), "")


def unlock(words: list[str]) -> None:
    host.remove(_lock(apps.verify(args.parse(words).word(0))))


def locked(words: list[str]) -> int:
    is_locked = os.path.exists(_lock(apps.verify(args.parse(words).word(0))))
    if not is_locked:
        raise Fail("Deploy lock does not exist")
    log.line("Deploy lock exists")
    return 0


def facts(app: str) -> report.Facts:
    return {
        "created-at": str(int(os.stat(host.root(app)).st_ctime)),
        "deploy-source": props.get("apps", app, "deploy-source"),
        "deploy-source-metadata": props.get("apps", app, "deploy-source-metadata"),
        "dir": host.root(app),
        "locked": "true" if os.path.exists(_lock(app)) else "false",
    }


def app_list(words: list[str]) -> None:
    names = apps.everything()
    log.data("\n".join(names if words[:1] == ["false"] else apps.allowed(names)))


def deploy_source_set(words: list[str]) -> None:
    app, kind, metadata = [*words, "", ""][:3]
    props.put_or_delete("apps", app, "deploy-source", kind)
    props.put_or_delete("apps", app, "deploy-source-metadata", metadata)


def post_delete(words: list[str]) -> None:
    props.destroy("apps", words[0])
    host.remove(host.data("apps", words[0]))


show = report.command("app", facts)


TRIGGERS: Triggers = {
    "app-list": app_list,
    "deploy-source-set": deploy_source_set,
    "post-delete": post_delete,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (list_command, ", List your apps"),
    "clone": (clone, "[--skip-deploy] [--ignore-existing] <old-app> <new-app>, Clone an app"),
    "create": (create, "<app>, Create a new app"),
    "destroy": (destroy, "[--force] <app>, Destroy an app for good"),
    "exists": (exists_command, "<app>, Tell by the exit code whether an app exists"),
    "list": (list_command, ", List your apps"),
    "lock": (lock, "<app>, Lock an app for deployment"),
    "locked": (locked, "<app>, Tell whether an app is locked for deployment"),
    "rename": (rename, "[--skip-deploy] <old-app> <new-app>, Rename an app"),
    "report": (show, "[<app>] [<flag>], Show facts about apps"),
    "unlock": (unlock, "<app>, Unlock an app for deployment"),
}
