"""Asking before something is lost. Scripts have no terminal and are never asked."""

import os
import sys

from scheduler_k3s.errors import PluginError


def ask(loss: str, word: str) -> None:
    """Go on only when the user types `word`. `loss` says what the command is about to do.

    Errors: PluginError when another word, or nothing, was typed.
    """
    if not os.isatty(0):
        return
    for line in ("WARNING: Potentially Destructive Action", loss, f'To proceed, type "{word}"'):
        print(f" !     {line}", file=sys.stderr)
    print("\n> ", end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline().strip()
    if typed != word:
        raise PluginError(f"Confirmation did not match {word}. Aborted, nothing has changed")
