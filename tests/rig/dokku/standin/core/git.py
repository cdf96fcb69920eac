"""git: an app's repository, and the way from a commit in it to a deploy."""

import fcntl
import os

from .. import apps, args, capture, docker, host, lifecycle, log, process, props, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail
from . import config

DESCRIPTION = "dokku core git plugin"
SETTINGS = ["deploy-branch", "keep-git-dir", "rev-env-var"]
LOCK = 200


def branch(app: str) -> str:
    return props.computed("git", app, "deploy-branch", "master")


def _git(app: str, *words: str, stdin: str | None = None) -> str:
    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "Dokku Host"), ("EMAIL", "dokku@localhost"))
    }
    argv = ["git", "--git-dir", host.root(app), *words]
    code, output, errors = process.piped(
        argv, payload=stdin, env=identity, show_output=False, show_errors=False
    )
    if code:
        raise Fail(f"git {words[0]} failed: {errors.strip()}")
    return output.strip()


def revision(app: str) -> str:
    """The commit that is deployed next; "" while there is none."""
    if not os.path.isfile(host.root(app, "HEAD")):
        return ""
    try:
        return _git(app, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch(app)}")
    except Fail:
        return ""


def _commit(app: str, files: dict[str, str], message: str) -> str:
    """Commits a tree of just these files."""
    if not os.path.isfile(host.root(app, "HEAD")):
        _git(app, "init", "--quiet", "--bare", f"--initial-branch={branch(app)}")
    blobs = {name: _git(app, "hash-object", "-w", "--stdin", stdin=text) for name, text in files.items()}
    tree = _git(app, "mktree", stdin="".join(f"100644 blob {blob}\t{name}\n" for name, blob in blobs.items()))
    parent = revision(app)
    commit = _git(app, "commit-tree", tree, "-m", message, *(["-p", parent] if parent else []))
    _git(app, "update-ref", f"refs/heads/{branch(app)}", commit)
    return commit


def _take_lock(app: str) -> None:
    """The deploy lock: descriptor 200, which every child of this process keeps."""
    path = host.data("apps", app, ".deploy.lock")
    host.make_directory(os.path.dirname(path))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    os.dup2(descriptor, LOCK, inheritable=True)
    os.close(descriptor)
    try:
        fcntl.flock(LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Fail(f"App {app} is being deployed already") from None
    os.ftruncate(LOCK, 0)
    os.write(LOCK, os.environ.get("DOKKU_BUILD_ID", "").encode())


def _build(app: str, rev: str, tree: str) -> None:
    for name in ("core-post-extract", "post-extract"):
        triggers.must_fire(name, app, tree, rev)
    kind = triggers.ask("builder-detect", app, tree)
    if not kind:
        raise Fail("Unable to select a builder for this app")
    triggers.must_fire("pre-receive-app", app, kind, tree, rev)
    triggers.must_fire("builder-set-property", app, "detected", kind)
    triggers.must_fire("builder-build", kind, app, tree)


def receive_app(words: list[str]) -> int:
    """<app> [<revision>]: from the commit in the repository to the deploy."""
    import tempfile

    app = words[0]
    rev = words[1] if len(words) > 1 else revision(app)
    if not rev:
        raise Fail(f"App {app} has not been deployed")
    _take_lock(app)
    variable = props.computed("git", app, "rev-env-var", "GIT_REV")
    config.change(app, {variable: rev}, [])
    with tempfile.TemporaryDirectory(prefix=f"dokku-{os.environ.get('DOKKU_PID', '')}-") as tree:
        os.chmod(tree, 0o755)
        _git(app, "--work-tree", tree, "checkout", "--force", rev, "--", ".")
        os.chdir(tree)
        try:
            _build(app, rev, tree)
            if code := triggers.fire("release-and-deploy", app):
                return code
        finally:
            os.chdir("/")
    return 0


def from_image(words: list[str]) -> int:
    """<app> <image>"""
    parsed = args.parse(words)
    app, image = apps.verify(parsed.word(0)), parsed.word(1)
    if not image:
        raise Fail("Please specify a docker image")
    with capture.Build(app, "git:from-image"):
        log.step(f"Pulling {image}")
        docker.pull(image)
        log.step("Setting Dockerfile")
        rev = _commit(app, {"Dockerfile": f"FROM {image}\n"}, f"Deploy image {image}")
        props.put("git", app, "source-image", image)
        if code := triggers.fire("receive-app", app, rev):
            raise Fail(code=code)
    return triggers.fire("deploy-source-set", app, "docker-image", image)


def git_get_property(words: list[str]) -> None:
    if words[1] != "source-image":
        raise Fail(f"Invalid property specified: {words[1]}")
    log.line(props.get("git", words[0], "source-image"))


def git_has_code(words: list[str]) -> int:
    return 0 if revision(words[0]) else 1


def git_revision(words: list[str]) -> None:
    log.data(revision(words[0]))


def git_deploy_branch(words: list[str]) -> None:
    log.line(branch(words[0]))


def clone(words: list[str]) -> None:
    old, new = words
    LIFECYCLE["post-app-clone-setup"](words)
    if revision(old):
        _git(new, "init", "--quiet", "--bare", f"--initial-branch={branch(old)}")
        _git(new, "fetch", "--quiet", host.root(old), f"+refs/heads/{branch(old)}:refs/heads/{branch(old)}")


def rename(words: list[str]) -> None:
    clone(words)
    LIFECYCLE["post-delete"](words)


def facts(app: str) -> report.Facts:
    return {
        "computed-deploy-branch": branch(app),
        "computed-rev-env-var": props.computed("git", app, "rev-env-var", "GIT_REV"),
        "deploy-branch": props.get("git", app, "deploy-branch"),
        "keep-git-dir": props.get("git", app, "keep-git-dir", "false"),
        "last-updated-at": str(int(os.stat(host.root(app)).st_mtime)) if revision(app) else "",
        "rev-env-var": props.get("git", app, "rev-env-var"),
        "sha": revision(app)[:8],
        "source-image": props.get("git", app, "source-image"),
    }


show = report.command("git", facts)
LIFECYCLE = lifecycle.of("git")

TRIGGERS: Triggers = {
    **LIFECYCLE,
    "git-deploy-branch": git_deploy_branch,
    "git-get-property": git_get_property,
    "git-has-code": git_has_code,
    "git-revision": git_revision,
    "post-app-clone-setup": clone,
    "post-app-rename-setup": rename,
    "receive-app": receive_app,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the repositories of apps"),
    "from-image": (from_image, "<app> <image>, Deploy an image"),
    "report": (show, "[<app>] [<flag>], Show the repositories of apps"),
    "set": (
        report.setter("git", SETTINGS),
        "<app>|--global <property> (<value>), Set or clear a git property",
    ),
}
