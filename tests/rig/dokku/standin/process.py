"""Child processes, started the two ways dokku knows: as its shell plugins do, and as its Go plugins do."""

import os
import select
import sys

from .log import Fail


def _spawn(argv: list[str], env: dict[str, str] | None, descriptors: dict[int, int]) -> int:
    sys.stdout.flush()
    actions = [(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in descriptors.items()]
    try:
        return os.posix_spawnp(argv[0], argv, {**os.environ, **(env or {})}, file_actions=actions)
    except (FileNotFoundError, PermissionError) as error:
        raise Fail(f"{argv[0]}: {error.strerror}", 127) from None


def _wait(pid: int) -> int:
    while True:
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return code if code >= 0 else 128 - code
        except KeyboardInterrupt:
            continue  # the child has got the terminal's signal too, and decides


def run(argv: list[str], env: dict[str, str] | None = None, stdin_null: bool = False) -> int:
    """Runs with this process's own streams and returns the exit code."""
    if not stdin_null:
        return _wait(_spawn(argv, env, {}))
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        return _wait(_spawn(argv, env, {0: null}))
    finally:
        os.close(null)


def _write_all(descriptor: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(descriptor, chunk) :]


def _copy(sources: dict[int, int | None]) -> dict[int, bytes]:
    """Reads all sources to their ends, passes each chunk on at once, and returns what each one gave."""
    seen = {source: bytearray() for source in sources}
    opened = set(sources)
    while opened:
        for source in select.select(list(opened), [], [])[0]:
            chunk = os.read(source, 65536)
            if not chunk:
                opened.discard(source)
                os.close(source)
                continue
            seen[source] += chunk
            target = sources[source]
            if target is not None:
                _write_all(target, chunk)
    return {source: bytes(found) for source, found in seen.items()}


def piped(
    argv: list[str],
    *,
    payload: str | None = None,
    env: dict[str, str] | None = None,
    inherit_stdin: bool = False,
    show_output: bool = True,
    show_errors: bool = True,
) -> tuple[int, str, str]:
    """Runs with stdout and stderr as pipes, copied on live where shown. Returns code, stdout, stderr."""
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    stdin = None
    if payload is not None:
        stdin, payload_write = os.pipe()
        _write_all(payload_write, payload.encode())  # entries are far smaller than a pipe's buffer
        os.close(payload_write)
    elif not inherit_stdin:
        stdin = os.open(os.devnull, os.O_RDWR)
    descriptors = {1: out_write, 2: err_write} | ({} if stdin is None else {0: stdin})
    pid = _spawn(argv, env, descriptors)
    for descriptor in descriptors.values():
        os.close(descriptor)
    found = _copy({out_read: 1 if show_output else None, err_read: 2 if show_errors else None})
    code = _wait(pid)
    output, errors = (found[end].decode(errors="surrogateescape") for end in (out_read, err_read))
    return code, output, errors
