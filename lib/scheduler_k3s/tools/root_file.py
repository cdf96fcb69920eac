"""Files of root outside dokku's directories: written whole, with the mode they are to have from the start."""

import os
import tempfile

from scheduler_k3s.errors import PluginError


def write(path: str, content: bytes, mode: int) -> None:
    """Make or replace `path`; its directory is made if missing. Errors: PluginError, the old file is kept."""
    directory, name = os.path.split(path)
    temporary = ""
    try:
        os.makedirs(directory, mode=0o755, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
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
