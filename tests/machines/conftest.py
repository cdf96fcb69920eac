"""Tests on machines of their own: each module gets a laboratory, and makes in it what it needs."""

from collections.abc import Iterator

import pytest
from rig.machines.laboratory import Laboratory, laboratory


@pytest.fixture(scope="module")
def lab() -> Iterator[Laboratory]:
    with laboratory() as made:
        yield made
