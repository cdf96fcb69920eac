"""Brace expansion: `a{b,c}` and `{1..3}`. It works on the text, before anything else is expanded."""

from itertools import pairwise

from scheduler_k3s.shell.scan import Refused, expanding_unit

MAX_WORDS = 10_000
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def expand(word: str) -> list[str]:
    """The words that `word` stands for, still quoted. Errors: Refused for more than `MAX_WORDS` of them."""
    at = 0
    while at < len(word):
        if word[at] == "{" and not (at == 0 and word.startswith("{}")):
            end, commas = _close(word, at + 1)
            if end:
                return _expand_at(word, at, commas, end)
        at = expanding_unit(word, at)
    return [word]


def _expand_at(word: str, start: int, commas: list[int], end: int) -> list[str]:
    if commas:
        bounds = [start, *commas, end]
        inner = [choice for a, b in pairwise(bounds) for choice in expand(word[a + 1 : b])]
    else:
        inner = _sequence(word[start + 1 : end]) or [word[start : end + 1]]
    tails = expand(word[end + 1 :])
    if len(inner) * len(tails) > MAX_WORDS:
        raise Refused(word, f"it stands for more than {MAX_WORDS} words")
    return [word[:start] + choice + tail for choice in inner for tail in tails]


def _close(word: str, at: int) -> tuple[int, list[int]]:
    """The place of the brace that ends a list or a sequence (0: none does), and of the list's commas."""
    depth = 0
    commas: list[int] = []
    sequence = False
    while at < len(word):
        if word[at] == "{":
            depth += 1
        elif word[at] == "}" and depth:
            depth -= 1
        elif word[at] == "}" and (commas or sequence):
            return at, commas
        elif depth == 0 and word[at] == ",":
            commas.append(at)
        elif depth == 0 and word.startswith("..", at) and not word.startswith("}", at + 2):
            sequence = True
        at = expanding_unit(word, at)
    return 0, []


def _sequence(text: str) -> list[str]:
    """The members of `1..9`, `a..e`, `01..10` or `1..9..2`; nothing when it is none of these."""
    ends = text.split("..")
    if len(ends) not in (2, 3) or (len(ends) == 3 and not _is_integer(ends[2])):
        return []
    step = abs(int(ends[2])) if len(ends) == 3 else 1
    if _is_integer(ends[0]) and _is_integer(ends[1]):
        width = max(len(end) for end in ends[:2]) if any(map(_is_padded, ends[:2])) else 0
        return [f"{n:0{width}d}" for n in _numbers(text, int(ends[0]), int(ends[1]), step)]
    if all(end in _LETTERS for end in ends[:2]):
        codes = _numbers(text, ord(ends[0]), ord(ends[1]), step)
        return [chr(code) if chr(code) in _LETTERS else "\\" + chr(code) for code in codes]
    return []


def _numbers(text: str, first: int, last: int, step: int) -> range:
    direction = 1 if first <= last else -1
    numbers = range(first, last + direction, (step or 1) * direction)
    if abs(last - first) // (step or 1) >= MAX_WORDS:
        raise Refused("{" + text + "}", f"it stands for more than {MAX_WORDS} words")
    return numbers


def _is_integer(text: str) -> bool:
    digits = text[1:] if text[:1] in ("-", "+") else text
    return digits.isascii() and digits.isdigit() and len(digits) < 19


def _is_padded(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0"
