"""Firing triggers. `fire` is what dokku's shell plugins do, `go` what its Go plugins do, `ask` wants an answer."""

import os

from . import host, process
from .log import Fail


def _plugn(name: str, words: tuple[str, ...]) -> list[str]:
    return ["plugn", "trigger", name, *words]


def fire(name: str, *words: str, env: dict[str, str] | None = None) -> int:
    """With this process's own streams; the exit code is the caller's to pass on."""
    return process.run(_plugn(name, words), env)


def must_fire(name: str, *words: str, env: dict[str, str] | None = None) -> None:
    """Like fire; a failure ends the command with the listener's exit code and no words of its own."""
    if code := fire(name, *words, env=env):
        raise Fail(code=code)


def go_code(
    name: str, *words: str, payload: str | None = None, env: dict[str, str] | None = None
) -> tuple[int, str]:
    """Output through pipes, stdin /dev/null unless stdout is a terminal. Returns exit code and stderr's text."""
    argv = _plugn(name, words)
    code, _, errors = process.piped(argv, payload=payload, env=env, inherit_stdin=os.isatty(1))
    return code, errors.strip()


def go(name: str, *words: str, payload: str | None = None, env: dict[str, str] | None = None) -> None:
    """As go_code. A failure becomes exit 1, its streamed stderr the message, hence printed a second time."""
    code, errors = go_code(name, *words, payload=payload, env=env)
    if code:
        raise Fail(errors or f"exit status {code}")


def listeners(name: str) -> list[str]:
    plugins = sorted(os.listdir(host.enabled()))
    paths = [host.enabled(plugin, name) for plugin in plugins if plugin != "20_events"]
    return [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def try_ask(name: str, *words: str) -> tuple[int, str]:
    """Exit code and stdout of all listeners, run without plugn in plugn's order; the first failure stops."""
    answer = ""
    for listener in listeners(name):
        code, output, _ = process.piped([listener, *words], show_output=False)
        answer += output
        if code:
            return code, answer
    return 0, answer


def ask(name: str, *words: str) -> str:
    code, answer = try_ask(name, *words)
    if code:
        raise Fail(code=code)
    return answer.strip()


def scheduler(app: str) -> str:
    """The app's scheduler; for no app the global one."""
    return ask("scheduler-detect", app or "--global")
