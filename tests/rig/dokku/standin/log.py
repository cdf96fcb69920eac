"""dokku's log lines and the error that ends a command."""

import os
import sys


class Fail(Exception):
    """Ends the process with `code`; the message, if any, is printed on stderr first."""

    def __init__(self, message: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def quiet() -> bool:
    return bool(os.environ.get("DOKKU_QUIET_OUTPUT"))


def line(text: str) -> None:
    """Unbuffered, so that lines keep their place among those of child processes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def data(text: str) -> None:
    if text:
        line(text)


def step(text: str) -> None:
    line(f"-----> {text}")


def headline(text: str) -> None:
    line(f"=====> {text}")


def detail(text: str) -> None:
    line(f"       {text}")


def step_unless_quiet(text: str) -> None:
    if not quiet():
        step(text)


def headline_unless_quiet(text: str) -> None:
    if not quiet():
        headline(text)


def detail_unless_quiet(text: str) -> None:
    if not quiet():
        detail(text)


def exclaim(text: str) -> None:
    line(f" !     {text}")


def warn(text: str) -> None:
    sys.stderr.write(f" !     {text}\n")
    sys.stderr.flush()


def debug(text: str) -> None:
    if os.environ.get("DOKKU_TRACE") == "1":
        sys.stderr.write(f" ?     {text}\n")
        sys.stderr.flush()
