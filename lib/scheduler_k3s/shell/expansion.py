"""Words as written -> words as a program gets them: tilde, parameters, arithmetic, splitting, quote removal."""

from collections.abc import Mapping

from scheduler_k3s.shell import arithmetic, parameters
from scheduler_k3s.shell.parameters import Piece
from scheduler_k3s.shell.scan import NAME, NAME_START, Refused, expanding_unit, quoting_unit

_ESCAPES = {
    "a": 7,
    "b": 8,
    "e": 27,
    "E": 27,
    "f": 12,
    "n": 10,
    "r": 13,
    "t": 9,
    "v": 11,
    "\\": 92,
    "'": 39,
    '"': 34,
    "?": 63,
}
_OCTAL = "01234567"
_HEXADECIMAL = "0123456789abcdefABCDEF"


class Expansion:
    """The variables of one command; `${X:=d}` changes them for the words that follow."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)

    def fields(self, word: str, assignment: bool = False) -> list[str]:
        """The words that one word becomes: none, one or several.

        `assignment`: in `NAME=~:~` the tildes are expanded too. Words out of braces are never assignments.
        """
        found: list[str] = []
        current: str | None = None
        for piece in self.pieces(word, _assigned(word) if assignment else 0):
            if not piece.splits:
                current = (current or "") + piece.text
                continue
            for character in piece.text:
                if character not in " \t\n":
                    current = (current or "") + character
                elif current is not None:
                    found.append(current)
                    current = None
        return found if current is None else [*found, current]

    def pieces(self, word: str, assigned: int = 0) -> list[Piece]:
        """`word` outside of double quotes; empty only when nothing of it can make a word.

        `assigned`: where the value of an assignment begins in it.
        """
        found: list[Piece] = []
        at = 0
        while at < len(word):
            end = expanding_unit(word, at)
            if word[at] == "~" and (at == 0 or (assigned and (at == assigned or word[at - 1] == ":"))):
                found.append(self._tilde(word, at))
            else:
                found += self._unit(word[at:end])
            at = end
        return found

    def operand(self, word: str, quoted: bool) -> list[Piece]:
        """The word of `${X:-word}`: its unquoted text is split like a variable's value."""
        if quoted:
            return [Piece(self.quoted(word, braces=True), quoted=True)]
        return [piece if piece.quoted else piece._replace(splits=True) for piece in self.pieces(word)]

    def pattern(self, word: str) -> str:
        """`word` as a pattern in which quoted characters carry a backslash."""
        return "".join(
            "".join("\\" + c for c in piece.text) if piece.quoted else piece.text
            for piece in self.pieces(word)
        )

    def quoted(self, text: str, braces: bool = False) -> str:
        """`text` as between double quotes; `braces`: within `${...}` or `$((...))` there."""
        result = ""
        at = 0
        while at < len(text):
            end = expanding_unit(text, at, quoted=True)
            unit = text[at:end]
            if unit[0] == "$" and len(unit) > 1:
                result += "".join(piece.text for piece in self._dollar(unit, quoted=True))
            elif unit[0] == "\\":
                result += _escaped(unit, '$`"\\}' if braces else '$`"\\')
            elif unit[0] == '"':
                result += self.quoted(unit[1:-1])
            else:
                result += unit
            at = end
        return result

    def value(self, name: str) -> str | None:
        """A command has no arguments and no status of its own: `$#` and `$?` are 0."""
        return "0" if name in ("#", "?") else self._variables.get(name)

    def assign(self, name: str, value: str, body: str) -> None:
        if name[0] not in NAME_START:
            raise Refused("${" + body + "}", f"{name} cannot be set")
        self._variables[name] = value

    def number(self, expression: str) -> int:
        """Errors: Refused with the expression as written; its text after expansion may hold a secret."""
        text = self.quoted(expression, braces=True)
        try:
            return arithmetic.evaluate(text, self.value)
        except Refused as refused:
            raise Refused(expression, refused.reason) from None

    def _tilde(self, word: str, at: int) -> Piece:
        """Another user's home (`~name`) is not known outside of the container and stays as written."""
        home = self._variables.get("HOME")
        if home is None or word[at + 1 : at + 2] not in ("", "/", ":"):
            return Piece("~")
        return Piece(home, quoted=True)

    def _unit(self, unit: str) -> list[Piece]:
        if unit[0] == '"' or unit.startswith('$"'):
            inner = unit[unit.index('"') + 1 : -1]
            nothing = inner and not inner.replace("$@", "").replace("${@}", "")
            return [] if nothing else [Piece(self.quoted(inner), quoted=True)]
        if unit[0] in "\\'" or unit.startswith("$'"):
            return unquoted(unit)
        if unit[0] == "$" and len(unit) > 1:
            return self._dollar(unit, quoted=False)
        return [Piece(unit)]

    def _dollar(self, unit: str, quoted: bool) -> list[Piece]:
        if unit.startswith("$(("):
            return [Piece(str(self.number(unit[3:-2])), splits=True)]
        if unit.startswith("${"):
            return parameters.substitute(unit[2:-1], self, quoted)
        return [Piece(self.value(unit[1:]) or "", splits=True)]


def unquoted(word: str) -> list[Piece]:
    """`word` without its quotes, nothing expanded."""
    found: list[Piece] = []
    at = 0
    while at < len(word):
        end = quoting_unit(word, at)
        unit = word[at:end]
        if unit.startswith("$'"):
            found.append(Piece(_ansi_c(unit), quoted=True))
        elif unit[0] == "'":
            found.append(Piece(unit[1:-1], quoted=True))
        elif len(unit) > 1 and unit[0] in '"$':
            found.append(Piece(_double_quoted(unit[unit.index('"') + 1 : -1]), quoted=True))
        elif unit != "\\\n":
            found.append(Piece(unit[1:] or unit, quoted=True) if unit[0] == "\\" else Piece(unit))
        at = end
    return found


def _double_quoted(text: str) -> str:
    result = ""
    at = 0
    while at < len(text):
        length = 2 if text[at] == "\\" else 1
        result += _escaped(text[at : at + length], '$`"\\') if length == 2 else text[at]
        at += length
    return result


def _escaped(unit: str, special: str) -> str:
    if unit[1:] == "\n":
        return ""
    return unit[1:] if unit[1:] and unit[1:] in special else unit


def _assigned(word: str) -> int:
    """The place after `NAME=` or `NAME+=` at the start of `word`, else 0: tildes are expanded from there on."""
    end = 0
    while end < len(word) and word[end] in NAME:
        end += 1
    if end == 0 or word[0] not in NAME_START:
        return 0
    end += 1 if word.startswith("+=", end) else 0
    return end + 1 if word.startswith("=", end) else 0


def _ansi_c(unit: str) -> str:
    """The value of $'...'. A NUL ends it. Errors: Refused when it is no UTF-8."""
    text = unit[2:-1]
    result = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\" or at + 1 == len(text):
            result += text[at].encode("utf-8", "surrogateescape")
            at += 1
            continue
        value, at = _ansi_c_escape(text, at + 1)
        if value == b"\0":
            break
        result += value
    try:
        return result.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(unit, "it is not UTF-8") from None


def _ansi_c_escape(text: str, at: int) -> tuple[bytes, int]:
    """The bytes for the escape whose letter is at `at`, and where it ends."""
    letter = text[at]
    if letter in _ESCAPES:
        return bytes([_ESCAPES[letter]]), at + 1
    if letter in _OCTAL:
        end = _run(text, at, 3, _OCTAL)
        return bytes([int(text[at:end], 8) % 256]), end
    width = {"x": 2, "u": 4, "U": 8}.get(letter, 0)
    end = _run(text, at + 1, width, _HEXADECIMAL)
    if end > at + 1:
        code = int(text[at + 1 : end], 16)
        if letter == "x":
            return bytes([code]), end
        if code < 0x110000:
            return chr(code).encode("utf-8", "surrogatepass"), end
        raise Refused("\\" + text[at:end], "there is no such character")
    if letter == "c" and at + 1 < len(text):
        return bytes([ord(text[at + 1].upper()) % 32]), at + 2
    return b"\\" + letter.encode("utf-8", "surrogateescape"), at + 1


def _run(text: str, at: int, most: int, characters: str) -> int:
    end = at
    while end < min(len(text), at + most) and text[end] in characters:
        end += 1
    return end
