"""What `--help` and a wrong command line show: synopsis, flags and an example, on one screen of 80 columns."""

from scheduler_k3s.synopses import BOOL, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80
_EXAMPLES = {
    "annotations:set": "web team payments --resource-type pod",
    "annotations:report": "web --format json",
    "autoscaling-auth:set": "web datadog --metadata apiKey=012345",
    "autoscaling-auth:report": "web --include-metadata",
    "charts:report": "traefik",
    "charts:set": "traefik.service.type NodePort",
    "cluster:add": "--role worker ssh://root@worker-1.example.com",
    "cluster:list": "--format json",
    "cluster:remove": "ip-worker-1-example-com-0123456789",
    "ensure-charts": "--charts vector",
    "initialize": "--server-ip 192.0.2.10",
    "labels:set": "web team payments --resource-type pod",
    "labels:report": "web --process-type worker",
    "node-sysctls:set": "vm.max_map_count 262144 --profile search",
    "node-sysctls:report": "--format json",
    "preview": "web --all --exit-code",
    "profiles:add": "search --kubelet-args max-pods=150",
    "profiles:list": "--format json",
    "profiles:remove": "search",
    "report": "web --scheduler-k3s-computed-namespace",
    "set": "web deploy-timeout 10m",
    "show-kubeconfig": "> kubeconfig",
    "uninstall": "",
}


def lines(command: Command) -> "list[str]":
    found = _wrapped("Usage:", ["dokku", *_words(command.synopsis)], " " * 10)
    found += ["", command.summary]
    if command.flags:
        found += ["", "Flags:"]
        names = [f"--{flag.name}{'' if flag.kind == BOOL else f' {flag.kind}'}" for flag in command.flags]
        width = max(len(name) for name in names)
        for name, flag in zip(names, command.flags, strict=True):
            default = [f"(default {flag.default})"] if flag.default else []
            words = [*flag.summary.split(), *default]
            found += _wrapped(f"  {name:<{width}} ", words, " " * (width + 4))
    words = ["dokku", f"scheduler-k3s:{command.name}", *_EXAMPLES[command.name].split()]
    return [*found, "", "Example:", f"  {' '.join(words)}"]


def columns(names: "Sequence[str]") -> list[str]:
    """The names, in as many columns as fit, read downwards."""
    width = max(len(name) for name in names) + 2
    rows = -(-len(names) // (WIDTH // width))
    return ["".join(f"{name:<{width}}" for name in names[row::rows]).rstrip() for row in range(rows)]


def _words(synopsis: str) -> list[str]:
    """The pieces between which a line may end: never inside brackets."""
    words: list[str] = []
    depth = 0
    for word in synopsis.split():
        if depth:
            words[-1] += f" {word}"
        else:
            words.append(word)
        depth += word.count("[") + word.count("<") + word.count("(")
        depth -= word.count("]") + word.count(">") + word.count(")")
    return words


def _wrapped(first: str, words: "Sequence[str]", indent: str) -> list[str]:
    found = [first]
    for word in words:
        if len(found[-1]) + 1 + len(word) > WIDTH:
            found.append(indent[1:])
        found[-1] += f" {word}"
    return found
