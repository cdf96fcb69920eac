"""Files of root outside dokku's directories: written whole, with the mode they are to have from the start."""

import io
import os
import shutil
import tempfile
from typing import BinaryIO

from scheduler_k3s.errors import PluginError


def write(path: str, content: bytes, mode: int) -> None:
    """Make or replace `path`; its directory is made if missing. Errors: PluginError, the old file is kept."""
    _replace(path, io.BytesIO(content), mode)


def copy(source: str, path: str, mode: int) -> None:
    """The same with what another file holds, which may be large, on another file system, or a program that runs."""
    try:
        with open(source, "rb") as file:
            _replace(path, file, mode)
    except OSError as error:
        raise PluginError(f"Unable to read {source}: {error.strerror}") from None


def _replace(path: str, content: BinaryIO, mode: int) -> None:
    directory, name = os.path.split(path)
    temporary = ""
    try:
        os.makedirs(directory, mode=0o755, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.lexists(temporary):
            os.unlink(temporary)
        raise PluginError(f"Unable to write {path}: {error.strerror}") from None


def remove(path: str) -> None:
    """Nothing needs to be there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise PluginError(f"Unable to remove {path}: {error.strerror}") from None


def read(path: str) -> bytes:
    """Empty when there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise PluginError(f"Unable to read {path}: {error.strerror}") from None
