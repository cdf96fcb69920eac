"""Comparing versions as semver.org says, a leading `v` and build suffixes such as `+k3s1` ignored."""

from scheduler_k3s.values import ANY_CASE, DIGITS, consists_of

Key = tuple[tuple[int, int, int], tuple[tuple[int, int, str], ...]]

_RELEASE = ((2, 0, ""),)
_LETTERS = ANY_CASE | {"-"}


def parse(text: str) -> Key:
    """A key that sorts as versions do. Errors: ValueError, saying that the text is no version."""
    plain = text.strip().removeprefix("v").partition("+")[0]
    release, dash, candidate = plain.partition("-")
    numbers = release.split(".")
    identifiers = candidate.split(".") if dash else []
    known = all(consists_of(number, DIGITS) for number in numbers)
    if len(numbers) > 3 or not known or not all(consists_of(each, _LETTERS) for each in identifiers):
        raise ValueError(f"{text!r} is not a version, such as 1.2.3")
    major, minor, patch = ([int(number) for number in numbers] + [0, 0])[:3]
    return (major, minor, patch), tuple(_rank(each) for each in identifiers) or _RELEASE


def _rank(identifier: str) -> tuple[int, int, str]:
    """Numbers before words, both before the release itself."""
    return (0, int(identifier), "") if consists_of(identifier, DIGITS) else (1, 0, identifier)
