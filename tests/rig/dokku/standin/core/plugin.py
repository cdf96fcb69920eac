"""plugin: installing, enabling, updating and removing plugins."""

import os

from .. import args, host, log, process, triggers
from ..kinds import Commands, Handler, Triggers
from ..log import Fail

DESCRIPTION = "dokku core plugin plugin"
USAGE = "First argument must be --core or url to plugin"


def _core(*parts: str) -> str:
    return host.lib("core-plugins", *parts)


def _available(*parts: str) -> str:
    return host.lib("plugins", "available", *parts)


def _plugn(*words: str) -> None:
    if code := process.run(["plugn", *words]):
        raise Fail(code=code)


def _git(directory: str, *words: str) -> None:
    """Plugins belong to dokku, git is run by root: their directories are to be trusted."""
    if code := process.run(["git", "-c", "safe.directory=*", "-C", directory, *words]):
        raise Fail(f"git {words[0]} failed", code)


def _fire(name: str, is_core: bool, *words: str) -> None:
    triggers.must_fire(name, *words, env={"PLUGIN_PATH": _core()} if is_core else {})


def _as_dokku(*argv: str) -> int:
    user = os.environ.get("DOKKU_SYSTEM_USER", "dokku")
    if os.geteuid():
        return process.run(list(argv))
    settings = [f"{name}={value}" for name, value in (("PATH", os.environ["PATH"]), ("HOME", host.root()))]
    return process.run(["sudo", "-u", user, "-E", "-H", "env", *settings, *argv])


def _refresh_completions() -> None:
    """The help of all plugins is what the shell completes; a plugin whose help fails makes the command fail."""
    code, _, _ = process.piped(["dokku", "help", "--all"], show_output=False)
    if code:
        raise Fail(code=code)


def name_of(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git").removeprefix("dokku-")


def _enable(name: str) -> None:
    if os.path.lexists(host.enabled(name)):
        raise Fail("Plugin already enabled")
    _plugn("enable", name)
    log.step(f"Plugin {name} enabled")


def _check_out(name: str, committish: str) -> None:
    _git(_available(name), "fetch", "--quiet", "origin")
    _git(_available(name), "checkout", "--quiet", committish)
    host.write(_available(name, ".plugin_committish"), f"{committish}\n")


def install(words: list[str]) -> None:
    parsed = args.parse(words, "core skip-install-trigger", "committish name")
    url = parsed.word(0)
    if url:
        if not url.startswith(("https:", "git", "ssh:", "file:")) and not url.endswith((".tar.gz", ".tgz")):
            raise Fail(USAGE)
        name = parsed.value("name") or name_of(url)
        log.step(f"Cloning plugin repo {url} to {_available(name)}")
        _plugn("install", url, name)
        _enable(name)
        if parsed.on("committish"):
            _check_out(name, parsed.value("committish"))
    if not parsed.on("skip-install-trigger"):
        _fire("install", parsed.on("core"))
    _refresh_completions()


def install_dependencies(words: list[str]) -> None:
    _fire("dependencies", args.parse(words, "core").on("core"))


def update(words: list[str]) -> None:
    parsed = args.parse(words)
    name, committish = parsed.word(0), parsed.word(1)
    names = (
        [name]
        if name
        else [found for found in os.listdir(_available()) if os.path.isdir(_available(found, ".git"))]
    )
    if name and os.path.lexists(_core("enabled", name)):
        raise Fail("Cannot trigger plugin:update against core plugin, please update Dokku instead")
    for found in names:
        if not os.path.isdir(_available(found, ".git")):
            raise Fail(f"Plugin {found} is not a git repository")
        if committish:
            _check_out(found, committish)
        elif _on_a_branch(found):
            _git(_available(found), "pull", "--quiet", "--ff-only")
            log.step(f"Plugin {found} updated")
    _fire("update", False)
    _refresh_completions()


def _on_a_branch(name: str) -> bool:
    argv = ["git", "-c", "safe.directory=*", "-C", _available(name), "symbolic-ref", "--quiet", "HEAD"]
    return process.piped(argv, show_output=False)[0] == 0


def enable(words: list[str]) -> None:
    _enable(args.parse(words).word(0))
    _refresh_completions()


def _refuse_core(name: str, action: str) -> None:
    if os.path.isdir(_core("available", name)):
        raise Fail(f"Cannot {action} a core plugin")


def disable(words: list[str]) -> None:
    name = args.parse(words).word(0)
    _refuse_core(name, "disable")
    _plugn("disable", name)
    log.step(f"Plugin {name} disabled")
    _refresh_completions()


def uninstall(words: list[str]) -> None:
    name = args.parse(words).word(0)
    _refuse_core(name, "uninstall")
    _fire("uninstall", False, name)
    _plugn("uninstall", name)
    log.step(f"Plugin {name} uninstalled")
    _refresh_completions()


def _listing() -> str:
    return process.piped(["plugn", "list"], show_output=False)[1]


def list_command(_words: list[str]) -> None:
    log.line("plugn: 0.17.0")
    log.data(_listing().rstrip("\n"))


def installed(words: list[str]) -> int:
    name = args.parse(words).word(0)
    return 0 if any(line.split()[:1] == [name] for line in _listing().split("\n")) else 1


def trigger(words: list[str]) -> int:
    return _as_dokku("plugn", "trigger", *words)


def _give_all_to_dokku() -> Handler:
    """plugn's install and update run as root; what they brought belongs to dokku."""

    def handle(_words: list[str]) -> None:
        if os.geteuid() == 0:
            owner = f"{os.environ.get('DOKKU_SYSTEM_USER', 'dokku')}:{os.environ.get('DOKKU_SYSTEM_GROUP', 'dokku')}"
            process.run(["chown", "-R", owner, host.lib("plugins"), _core()])

    return handle


TRIGGERS: Triggers = {"install": _give_all_to_dokku(), "update": _give_all_to_dokku()}
COMMANDS: Commands = {
    "": (list_command, ", List the plugins"),
    "disable": (disable, "<name>, Switch a plugin off"),
    "enable": (enable, "<name>, Switch a plugin on"),
    "install": (
        install,
        "[--core|<url> [--committish <ref>] [--name <name>] [--skip-install-trigger]], Install a plugin",
    ),
    "install-dependencies": (install_dependencies, "[--core], Install what plugins depend on"),
    "installed": (installed, "<name>, Tell by the exit code whether a plugin is installed"),
    "list": (list_command, ", List the plugins"),
    "trigger": (trigger, "<trigger> [<argument> ...], Fire a trigger"),
    "uninstall": (uninstall, "<name>, Remove a plugin"),
    "update": (update, "[<name> [<committish>]], Update a plugin"),
}
