"""dokku's log lines: steps and details on stdout, warnings and failures on stderr.

The `_quiet` forms say nothing when DOKKU_QUIET_OUTPUT is set; they are for progress, never for data.
"""

import os
import sys


def step(text: str) -> None:
    _out(f"-----> {text}")


def headline(text: str) -> None:
    _out(f"=====> {text}")


def detail(text: str) -> None:
    _out(f"       {text}")


def exclaim(text: str) -> None:
    _out(f" !     {text}")


def step_quiet(text: str) -> None:
    if not quiet():
        step(text)


def headline_quiet(text: str) -> None:
    if not quiet():
        headline(text)


def detail_quiet(text: str) -> None:
    if not quiet():
        detail(text)


def warn(text: str) -> None:
    """Each line of `text` with dokku's mark, so that a longer explanation stays recognisable as one."""
    sys.stdout.flush()
    for line in text.splitlines() or [""]:
        print(f" !     {line}", file=sys.stderr)
    sys.stderr.flush()


def debug(text: str) -> None:
    """Shown with `dokku --trace` only. Never pass a value that may be secret."""
    if os.environ.get("DOKKU_TRACE") == "1":
        for line in text.splitlines():
            print(f" ?     {line}", file=sys.stderr, flush=True)


def quiet() -> bool:
    return bool(os.environ.get("DOKKU_QUIET_OUTPUT"))


def _out(text: str) -> None:
    print(text, flush=True)
