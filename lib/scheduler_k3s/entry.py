"""What every trigger and subcommand shares: safe standard streams, one error form, the exit code."""

import os
import sys

from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False  # `typing` costs as much as the whole interpreter
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def run(action: "Callable[[], int | None]") -> "NoReturn":
    """Run `action` and leave with its exit code (None counts as 0).

    A PluginError ends as ` !     message`; anything unforeseen the same way, with the traceback only under
    `dokku --trace`, since an exception of the standard library may quote a value that is secret.
    """
    _open_standard_streams()
    try:
        code = action() or 0
        sys.stdout.flush()
    except PluginError as error:
        code = _fail(error.message, error.exit_code)
    except BrokenPipeError:
        # the reader has gone (dokku logs | head): nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 141
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        code = _unexpected(error)
    sys.exit(code)


def arguments(count: int) -> list[str]:
    """The trigger's words after its own name, filled up with empty strings to `count`."""
    words = sys.argv[1:]
    return words + [""] * (count - len(words))


def _open_standard_streams() -> None:
    """Give closed standard descriptors /dev/null, lest the next opened file becomes "stdout"."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
        else:
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def _fail(message: str, code: int) -> int:
    from scheduler_k3s import log

    log.warn(message)
    return code


def _unexpected(error: Exception) -> int:
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}:{last.lineno}"
    if os.environ.get("DOKKU_TRACE") == "1":
        traceback.print_exc()
    reason = f" ({error.strerror}: {error.filename})" if isinstance(error, OSError) and error.strerror else ""
    return _fail(
        f"Unexpected {type(error).__name__}{reason} in {where}. Run the command again as "
        "`dokku --trace ...` for the details, and please report them",
        1,
    )
