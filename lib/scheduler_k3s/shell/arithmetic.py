"""The value of `$((...))`: the shell's 64 bit integers. Variables are read, never changed."""

from collections.abc import Callable

from scheduler_k3s.shell.scan import BLANKS, NAME, NAME_START, Refused

MAX_DEPTH = 100
Lookup = Callable[[str], "str | None"]
_Term = Callable[[], int]

_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<=", ">=", "<", ">"),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_SYMBOLS = ("**", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", *"+-*/%<>&|^!~?:,()=")


def evaluate(text: str, lookup: Lookup, depth: int = 0) -> int:
    """Errors: Refused for what is no expression, changes a variable, or divides by zero."""
    if depth > MAX_DEPTH:
        raise Refused(text, "the variable refers to itself")
    parser = _Parser(text, _tokens(text), lookup, depth)
    if not parser.tokens:
        return 0
    result = parser.comma()
    if parser.tokens:
        raise parser.refused()
    return result()


def _tokens(text: str) -> list[str]:
    """In reversed order: the next token is the last."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        start = at
        if text[at] in BLANKS + "\n":
            at += 1
            continue
        if text[at] in NAME:
            while at < len(text) and (text[at] in NAME or text[at] in "#@"):
                at += 1
        else:
            symbol = next((s for s in _SYMBOLS if text.startswith(s, at)), None)
            if symbol is None:
                raise Refused(text, "it is no arithmetic expression")
            if symbol in "+-" and text.startswith(symbol * 2, at):
                _refuse_increment(text, at, tokens)
            at += len(symbol)
        tokens.append(text[start:at])
    return tokens[::-1]


def _refuse_increment(text: str, at: int, before: list[str]) -> None:
    follower = text[at + 2 :].lstrip()[:1]
    if (before and before[-1][0] in NAME_START) or follower in NAME_START:
        raise Refused(text, "a variable cannot be changed here")


class _Parser:
    """Each method takes its part off `tokens`. Terms are functions: the branch not taken is not evaluated."""

    def __init__(self, text: str, tokens: list[str], lookup: Lookup, depth: int) -> None:
        self.text = text
        self.tokens = tokens
        self.lookup = lookup
        self.depth = depth

    def refused(self) -> Refused:
        return Refused(self.text, "it is no arithmetic expression")

    def take(self, *symbols: str) -> str:
        return self.tokens.pop() if self.tokens and self.tokens[-1] in symbols else ""

    def comma(self) -> _Term:
        term = self.conditional()
        while self.take(","):
            term = _sequence(term, self.conditional())
        return term

    def conditional(self) -> _Term:
        condition = self.binary(0)
        if not self.take("?"):
            return condition
        yes = self.comma()
        if not self.take(":"):
            raise self.refused()
        no = self.conditional()
        return lambda: yes() if condition() else no()

    def binary(self, level: int) -> _Term:
        if level == len(_LEVELS):
            return self.power()
        left = self.binary(level + 1)
        while operator := self.take(*_LEVELS[level]):
            left = self.applied(operator, left, self.binary(level + 1))
        return left

    def power(self) -> _Term:
        base = self.unary()
        return self.applied("**", base, self.power()) if self.take("**") else base

    def unary(self) -> _Term:
        if operator := self.take(*_UNARY):
            term = self.unary()
            return lambda: _wrapped(_UNARY[operator](term()))
        return self.operand()

    def operand(self) -> _Term:
        if self.take("("):
            term = self.comma()
            if not self.take(")"):
                raise self.refused()
            return term
        if not self.tokens or self.tokens[-1][0] not in NAME:
            raise self.refused()
        token = self.tokens.pop()
        if token[0] in NAME_START:
            return lambda: evaluate(self.lookup(token) or "", self.lookup, self.depth + 1)
        value = _number(token)
        if value is None:
            raise self.refused()
        return lambda: value

    def applied(self, operator: str, left: _Term, right: _Term) -> _Term:
        if operator == "&&":
            return lambda: int(bool(left()) and bool(right()))
        if operator == "||":
            return lambda: int(bool(left()) or bool(right()))

        def term() -> int:
            a, b = left(), right()
            if (operator in ("/", "%") and b == 0) or (operator == "**" and b < 0):
                raise Refused(self.text, "division by zero" if b == 0 else "the exponent is negative")
            return _wrapped(_OPERATIONS[operator](a, b))

        return term


def _sequence(first: _Term, second: _Term) -> _Term:
    return lambda: (first(), second())[1]


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_UNARY: dict[str, Callable[[int], int]] = {
    "+": lambda value: value,
    "-": lambda value: -value,
    "!": lambda value: int(not value),
    "~": lambda value: ~value,
}
_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<<": lambda a, b: a << (b % 64),
    ">>": lambda a, b: a >> (b % 64),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _quotient,
    "%": lambda a, b: a - b * _quotient(a, b),
    "**": lambda a, b: pow(a, b, 1 << 64),
}


def _wrapped(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _number(text: str) -> int | None:
    """Decimal, 0x hexadecimal, 0 octal, or base#digits up to base 36."""
    digits, base = text, 10
    if "#" in text:
        prefix, digits = text.split("#", 1)
        base = int(prefix) if prefix.isdigit() and len(prefix) < 3 else 0
    elif text[:2] in ("0x", "0X"):
        digits, base = text[2:] or "0", 16
    elif text[0] == "0":
        base = 8
    if not 2 <= base <= 36 or "_" in digits:
        return None
    try:
        return _wrapped(int(digits, base))
    except ValueError:
        return None
