"""Versions in the order of semver.org."""

import pytest
from scheduler_k3s import semver

# each is older than the next; from semver.org, paragraph 11
ASCENDING = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "v1.0.0",
    "1.0.1",
    "1.9.0",
    "v1.13.3",
    "26.0.0",
]


def test_the_order() -> None:
    assert sorted(set(ASCENDING), key=semver.parse) == ASCENDING


def test_what_does_not_count() -> None:
    keys = {semver.parse(text) for text in ("v1.34.4+k3s1", "1.34.4", "1.34.4+k3s2", " v1.34.4\n")}
    assert len(keys) == 1
    assert semver.parse("1.2") == semver.parse("1.2.0")


@pytest.mark.parametrize(
    "text", ["", "v", "latest", "1.2.3.4", "1..3", "1.2.3-", "1.2.3-a..b", "1.2.x", "-1.2.3"]
)
def test_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        semver.parse(text)
