"""The form of everything the plugin says when something is wrong, read off the code."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

LIB = Path(__file__).parents[2] / "lib" / "scheduler_k3s"
LONGEST = 220
_HOLE = "\0"

# what a sentence may begin with although it is small: names, and texts that dokku's own plugins have
NAMES = ("dokku", "helm", "kubectl", "nginx", "openssl", "ssh", "--format")
_SURELY_A_NAME = re.compile(r"[a-z]+[-.:0-9]")
FIXED = (
    "bad flag syntax",
    "unknown flag",
    "unknown shorthand flag",
    "invalid argument",
    "flag needs an argument",
    "invalid remote host scheme",
    "missing remote host ssh scheme",
    "only a single info flag",
    "error checking if node sysctls chart exists",
    "error installing node sysctls chart",
    "error uninstalling node sysctls chart",
    "kubernetes api not available",
)
# reasons that another message goes on to quote
FRAGMENTS = ("certificate_check.py", "jsonc.py", "tools/http1.py", "tools/websocket.py", "tools/kustomize.py")
FRAGMENT_CLASSES = ("_PeerError", "ProtocolError")

# These end without a way on: dokku fixes the wording, or the place in the user's own file says all there is to say,
# or the same command is simply to be repeated.
REVIEWED = (
    "--format flag cannot be specified",
    "App \0 does not exist",
    "App \0 is not deployed",
    "Config value \0 of \0 ",
    "Confirmation did not match",
    "Docker option ",
    "Error getting start command for deployment: that of \0 is not UTF-8",
    "Missing profile name",
    "Missing resource-type",
    "Missing sysctl name",
    "Missing trigger type argument",
    "Namespace \0 is being deleted",
    "No pods found ",
    "No running pods found ",
    "No property specified",
    "Node \0 is not a remote node managed by Dokku",
    "Node profile \0 not found",
    "Pod \0 was deleted",
    "Unable to get lowest node version",
    "Unable to get node: node name is required",
    "Unable to get server ip address: `ip -4",
    "None of the pods has a log yet",
    "Only one of --global and --profile may be specified",
    "Please specify an app",
    "Property cannot be specified globally",
    "Storage entry \0 does not exist",
    "Unable to call ",
    "app.json",
    "k3s already installed",
    "dokku's answer to ",
    "dokku's description of storage entry ",
)

# how a way on is put: a rule, an example, a choice, a command, an instruction
_WAY_ON = re.compile(
    r"for example|such as|Examples: |is a form that works|must |valid |expected|is none of|neither|in quotes"
    r"|[Tt]here (is|are) |dokku |kubectl |apt-get |with: |as root|only |stands for|[Ii]t is|add one|lower the one"
    r"|\b(Add|Another|Choose|Compare|Correct|Deploy|Disable|Expose|Give|Install|Keep|Leave|Log in|Make|Move|Put|Remove"
    r"|Rename|Repeat|Run|See|Set|Shorten|Stop|Take|Try|Use|Wait|Write|give|put|shorten|use|write)\b"
)


class Message:
    def __init__(self, path: Path, call: ast.Call, kind: str, text: str) -> None:
        self.where = f"{path.relative_to(LIB)}:{call.lineno}"
        self.module = str(path.relative_to(LIB))
        self.kind = kind
        self.text = text

    @property
    def own(self) -> str:
        """Without what comes from elsewhere."""
        return self.text.replace(_HOLE, "")

    def __repr__(self) -> str:
        return f"{self.where}: {self.text.replace(_HOLE, '{}')}"


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case _:
            return _HOLE


def _messages() -> Iterator[Message]:
    for path in sorted(LIB.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            texts = call.args[1:2] if name == "fail" else call.args[:1]
            says = name in ("fail", "warn", "exclaim", "Cancelled")
            if texts and (says or (name.endswith("Error") and not hasattr(builtins, name))):
                yield Message(path, call, name, _text(texts[0]))


MESSAGES = [message for message in _messages() if message.own.strip(" :.,\n")]


def test_the_messages_are_found() -> None:
    texts = [message.own for message in MESSAGES]
    assert len(texts) > 200
    for known in ("Missing resource-type", "App  does not exist", "unknown flag: --"):
        assert known in texts


def test_their_lines_are_short() -> None:
    lines = [line.replace(_HOLE, "12345678") for message in MESSAGES for line in message.text.split("\n")]
    assert [line for line in lines if len(line) > LONGEST] == []


def test_their_lines_are_plain() -> None:
    odd = ("!", ",", " ", "Error:")
    lines = [line for message in MESSAGES for line in message.text.split("\n")]
    assert [line for line in lines if "  " in line or line.endswith(odd) or line.startswith(odd)] == []


def test_they_begin_like_a_sentence() -> None:
    def begins(message: Message) -> bool:
        is_fragment = message.module in FRAGMENTS or message.kind in FRAGMENT_CLASSES
        is_name = message.text.startswith(NAMES) or _SURELY_A_NAME.match(message.text)
        return (
            message.text[0].isupper()
            or message.text.startswith((_HOLE, *FIXED))
            or is_fragment
            or bool(is_name)
        )

    assert [message for message in MESSAGES if not begins(message)] == []


def test_they_end_without_a_full_stop() -> None:
    assert [message for message in MESSAGES if message.text.rstrip().endswith(".")] == []


def test_errors_end_with_a_way_on() -> None:
    """Or with a reason from elsewhere, or at a place in a file."""

    def ends(message: Message) -> bool:
        is_error = message.kind.endswith("Error") and message.kind not in FRAGMENT_CLASSES
        if not is_error or message.module in FRAGMENTS or message.text.startswith((*REVIEWED, _HOLE)):
            return True
        return message.text.endswith(_HOLE) or bool(_WAY_ON.search(message.own))

    assert [message for message in MESSAGES if not ends(message)] == []
