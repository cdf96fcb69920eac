"""docker-options: extra options for docker, by process type and phase."""

from .. import apps, args, lifecycle, props, report
from ..kinds import Commands, Handler, Triggers
from ..log import Fail

DESCRIPTION = "dokku core docker-options plugin"
DEFAULT = "_default_"
PHASES = ["build", "deploy", "run"]


def options(app: str, kind: str, phase: str) -> list[str]:
    return props.get_list("docker-options", app, f"{kind}.{phase}")


def _changer(remove: bool) -> Handler:
    """[--process <type>] <app> <phase,...> <option ...>; the option's own dashes are not this command's flags."""

    def handle(words: list[str]) -> None:
        parsed = args.parse(words, "", "process", leading=True)
        app, phases = apps.verify(parsed.word(0)), parsed.word(1).split(",")
        option = " ".join(parsed.words[2:])
        if not set(phases) <= set(PHASES) or not option:
            raise Fail("Usage: <app> <build,deploy,run> <option>")
        for kind in parsed.all("process") or [DEFAULT]:
            for phase in phases:
                others = [known for known in options(app, kind, phase) if known != option]
                props.put_list(
                    "docker-options", app, f"{kind}.{phase}", others if remove else [*others, option]
                )

    return handle


def clear(words: list[str]) -> None:
    parsed = args.parse(words, "", "process")
    app, phases = apps.verify(parsed.word(0)), parsed.word(1) or ",".join(PHASES)
    for kind in parsed.all("process") or [DEFAULT]:
        for phase in phases.split(","):
            props.delete("docker-options", app, f"{kind}.{phase}")


def _docker_args(words: list[str]) -> None:
    """<app>: the default options of a phase in one line, behind what came on stdin."""
    import sys

    before = sys.stdin.read()
    text = " ".join(options(words[0], DEFAULT, "deploy"))
    sys.stdout.write(f"{before} {text}" if before else text)


def facts(app: str) -> report.Facts:
    found = {phase: " ".join(options(app, DEFAULT, phase)) for phase in PHASES}
    listed = {f"{phase}-list": "\n".join(options(app, DEFAULT, phase)) for phase in PHASES}
    for name, text in props.all_of("docker-options", app).items():
        kind, _, phase = name.rpartition(".")
        if kind != DEFAULT:
            found[f"{phase}.{kind}"] = " ".join(text.split("\n")).strip()
            listed[f"{phase}.{kind}-list"] = text.strip("\n")
    return {**found, **listed}


show = report.command("docker-options", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("docker-options"),
    "docker-args-deploy": _docker_args,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the docker options of apps"),
    "add": (_changer(False), "[--process <type>] <app> <phase(s)> <option>, Add a docker option"),
    "clear": (clear, "[--process <type>] <app> [<phase(s)>], Remove all docker options"),
    "remove": (_changer(True), "[--process <type>] <app> <phase(s)> <option>, Remove a docker option"),
    "report": (show, "[<app>] [<flag>], Show the docker options of apps"),
}
