"""vector's configuration: what it collects, and the sinks of `logs:set --global` that it goes to.

A sink is written `type://?option=value&option[nested]=value`. Its values pass through the chart, which expands
`{{ }}`: whoever wants braces in the end writes a template that prints them, best as `base64enc:...`.
"""

import base64
import binascii
import json
from typing import Any
from urllib.parse import parse_qsl

from scheduler_k3s.errors import PluginError

Tree = dict[str, Any]

_LOGS = "kubernetes_container_logs"
_ENCODED = "base64enc:"
_LABELS = ".kubernetes.pod_labels"


def config() -> Tree:
    """Without sinks of the administrator, logs go to vector's own output as JSON."""
    return {
        "data_dir": "/vector-data-dir",
        "api": {"enabled": True, "address": "0.0.0.0:8686", "playground": False},
        "sources": {
            "kubernetes_logs": {"type": "kubernetes_logs"},
            "internal_metrics": {"type": "internal_metrics"},
        },
        "transforms": {
            _LOGS: _remap(
                "kubernetes_logs",
                ".container = .kubernetes.container_name",
                ".pod = .kubernetes.pod_name",
                ".namespace = .kubernetes.pod_namespace",
            )
        },
        "sinks": {
            "default_global_sink": {"type": "console", "inputs": [_LOGS], "encoding": {"codec": "json"}},
            "prom_exporter": {
                "type": "prometheus_exporter",
                "inputs": ["internal_metrics"],
                "address": "0.0.0.0:9090",
            },
        },
    }


def add(tree: Tree, sink: str, cron_sink: str) -> None:
    """Change a `config()`: `sink` takes the place of the console, `cron_sink` takes the lines of cron tasks.

    Each line reaches one sink. Errors: PluginError naming the property.
    """
    sinks = tree["sinks"]
    if sink:
        del sinks["default_global_sink"]
        sinks["kubernetes_global_sink"] = {**_parsed("vector-sink", sink), "inputs": [_LOGS]}
    if cron_sink:
        tree["transforms"]["kubernetes_router"] = {
            "type": "route",
            "inputs": [_LOGS],
            "reroute_unmatched": True,
            "route": {"cron": f'{_LABELS}."app.kubernetes.io/name" == "cron"'},
        }
        tree["transforms"]["kubernetes_cron_remap"] = _remap(
            "kubernetes_router.cron",
            f'.dokku_app = {_LABELS}."app.kubernetes.io/part-of" || ""',
            '.dokku_cron_id = .kubernetes.pod_annotations."dokku.com/cron-id" || ""',
        )
        parsed = _parsed("vector-cron-sink", cron_sink)
        sinks["kubernetes_cron_sink"] = {**parsed, "inputs": ["kubernetes_cron_remap"]}
        others = "kubernetes_global_sink" if sink else "default_global_sink"
        sinks[others]["inputs"] = ["kubernetes_router._unmatched"]


def _remap(source: str, *lines: str) -> Tree:
    return {"type": "remap", "inputs": [source], "source": "\n".join(lines)}


def _parsed(name: str, text: str) -> Tree:
    """The sink of a property. The value may hold a password, so errors do not show it."""
    try:
        return parse(text)
    except ValueError as error:
        remedy = f"dokku logs:set --global {name} <value>"
        raise PluginError(f"Invalid {name} of the logs plugin: {error}. Change it with: {remedy}") from None


def parse(text: str) -> Tree:
    """Errors: ValueError with what is wrong, never with the value."""
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme:
        raise ValueError("it must begin with a type and ://, for example console://?encoding[codec]=json")
    tree: Tree = {}
    for key, word in parse_qsl(rest.partition("?")[2].partition("#")[0], keep_blank_values=True):
        _put(tree, key, word)
    if "sinks" in tree:
        raise ValueError("Invalid option sinks")
    for key, item in tree.items():
        if isinstance(item, str) and item.startswith(_ENCODED):
            tree[key] = _decoded(key, item.removeprefix(_ENCODED))
    return {**tree, "type": scheme.replace("-", "_").lower()}


def _put(tree: Tree, key: str, word: str) -> None:
    """`a[b][c]` nests; `a[]` appends to a list."""
    name, *steps = [step.removesuffix("]") for step in key.split("[")]
    node: Any = tree
    for step in steps:
        if isinstance(node, list):
            raise ValueError(f"option {key} nests in a list")
        below: Any = [] if step == "" else {}
        found = node.setdefault(name, below)
        if type(found) is not type(below):
            raise ValueError(f"option {key} contradicts another one")
        node, name = found, step
    if isinstance(node, list):
        node.append(_typed(word))
    else:
        node[name] = _typed(word)


def _typed(word: str) -> Any:
    """Numbers, booleans and whatever else is JSON; any other word is text."""
    try:
        return json.loads(word, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return word


def _refuse(word: str) -> None:
    """Python's JSON knows NaN, others' does not."""
    raise ValueError(word)


def _decoded(key: str, text: str) -> str:
    try:
        # a plus sign is a blank in a query
        return base64.b64decode(text.replace(" ", "+"), validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError(f"option {key} is not base64 of a text") from None
