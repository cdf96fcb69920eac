"""A private directory for what a command fetches while it holds the cluster, gone when it ends, however it ends."""

import contextlib
import glob
import shutil
import tempfile
from collections.abc import Iterator

_PREFIX = ".fetched-"


@contextlib.contextmanager
def below(parent: str) -> Iterator[str]:
    """To be used under the cluster's lock only: one that is there already was left by a run that was killed."""
    for left in glob.glob(f"{glob.escape(parent)}/{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent) as directory:
        yield directory
