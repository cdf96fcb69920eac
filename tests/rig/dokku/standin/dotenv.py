"""An app's environment file: NAME="value" lines with backslash escapes."""

ESCAPES = {"n": "\n", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def dump(values: dict[str, str]) -> str:
    lines = []
    for name in sorted(values):
        text = values[name].replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f'{name}="' + text.replace('"', '\\"').replace("$", "\\$") + '"\n')
    return "".join(lines)


def _double_quoted(text: str) -> str:
    value = []
    escaped = False
    for letter in text:
        if escaped:
            value.append(ESCAPES.get(letter, "\\" + letter))
        elif letter != "\\":
            value.append(letter)
        escaped = letter == "\\" and not escaped
    return "".join(value)


def load(text: str) -> dict[str, str]:
    values = {}
    for line in text.split("\n"):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not equals or name.startswith("#"):
            continue
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = _double_quoted(value[1:-1])
        elif len(value) > 1 and value[0] == value[-1] == "'":
            value = value[1:-1]
        values[name] = value
    return values
