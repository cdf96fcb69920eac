"""The :report and :set commands that most plugins share."""

from _collections_abc import Callable

from . import apps, log, props
from .kinds import Handler
from .log import Fail

# Report values by key, without the plugin's prefix.
Facts = dict[str, str]


def _print(plugin: str, app: str, facts: Facts) -> None:
    flags = {f"--{plugin}-{key}": value for key, value in facts.items()}
    width = max(31, *(len(flag) for flag in flags))
    log.headline_unless_quiet(f"{app} {plugin} information")
    for flag, value in sorted(flags.items()):
        words = flag[2:].replace("-", " ")
        log.detail(f"{words[0].upper()}{words[1:]}:".ljust(width) + value)


def show(plugin: str, app: str, facts: Facts, flags: list[str], form: str) -> None:
    """One app's report: all of it as text or JSON, or one value."""
    valid = sorted(f"--{plugin}-{key}" for key in facts)
    if flags and form == "json":
        raise Fail("--format flag cannot be specified when specifying an info flag")
    if len(flags) > 1:
        raise Fail(f"{plugin}:report command allows only a single flag")
    if flags and flags[0] not in valid:
        raise Fail(f"Invalid flag passed, valid flags: {', '.join(valid)}")
    if flags:
        log.line(facts[flags[0].removeprefix(f"--{plugin}-")])
    elif form == "json":
        import json

        keyed = {**facts, **{f"{plugin}-{key}": value for key, value in facts.items()}}
        log.data(json.dumps(keyed, sort_keys=True, separators=(",", ":")))
    else:
        _print(plugin, app, facts)


def command(plugin: str, facts: Callable[[str], Facts]) -> Handler:
    """The handler of <plugin>:report [app] [flag|--format json]; `facts(app)` finds the values."""

    def handle(words: list[str]) -> None:
        form, flags, names = "stdout", [], []
        queue = list(words)
        while queue:
            word = queue.pop(0)
            if word == "--format" and queue:
                form = queue.pop(0)
            elif word.startswith("--format="):
                form = word.partition("=")[2]
            elif word in ("--quiet", "--trace", "--force"):
                continue
            elif word.startswith("--") and word != props.GLOBAL:
                flags.append(word)
            else:
                names.append(word)
        chosen = (
            [names[0] if names[0] == props.GLOBAL else apps.verify(names[0])]
            if names
            else apps.verified_all()
        )
        for app in chosen:
            show(plugin, app, facts(app), flags, form)

    return handle


def setter(plugin: str, valid: list[str], only_app: list[str] | None = None) -> Handler:
    """The handler of <plugin>:set <app|--global> <property> (<value>)."""

    def handle(words: list[str]) -> None:
        words = [word for word in words if word not in ("--quiet", "--trace", "--force")]
        app = words[0] if words else ""
        if app != props.GLOBAL:
            apps.verify(app)
        name, value = [*words[1:], "", ""][:2]
        check_property(app, name, valid, only_app or [])
        if value:
            log.headline_unless_quiet(f"Setting {name} to {value}")
        else:
            log.headline_unless_quiet(f"Unsetting {name}")
        props.put_or_delete(plugin, app, name, value)

    return handle


def check_property(app: str, name: str, valid: list[str], only_app: list[str]) -> None:
    if not name:
        raise Fail("No property specified")
    if name not in valid:
        raise Fail(f"Invalid property specified, valid properties include: {', '.join(sorted(valid))}")
    if app == props.GLOBAL and name in only_app:
        raise Fail("Property cannot be specified globally")
