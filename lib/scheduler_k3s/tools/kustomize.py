"""kustomize, as kubectl has it: objects and a user's directory in, changed objects out."""

import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart
from scheduler_k3s.tools import private
from scheduler_k3s.tools.cluster import Object
from scheduler_k3s.tools.command import CommandError, run

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
RENDERED = "rendered.yaml"
"""The file by which a kustomization refers to the app's own objects."""

_TIMEOUT = 120.0
_MARK, _END = "\uf8f0", "\uf8f1"
# what kubectl's YAML library refuses or changes, or cannot read back after it has written it itself
_UNSAFE = re.compile(f"[\x7f-\x9f\ufffe\uffff\t{_MARK}]")
_SHIELDED = re.compile(f"{_MARK}([0-9a-f]{{4}}){_END}")

_DIGITS = "-+.0123456789"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", _DIGITS),
    ("float", r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+|[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+", _DIGITS),
)
"""YAML 1.2's plain values. Others, such as `on`, `1_0`, `007` and dates, are texts here, as they are to kubectl,
which has resolved merge keys (`<<`) itself."""


def has_kustomization(directory: str) -> bool:
    return any(os.path.isfile(f"{directory}/{name}") for name in FILES)


def build(directory: str, objects: Sequence[Object]) -> list[Object]:
    """What the kustomization in `directory` makes of the objects, which are written there.

    Errors: PluginError with kustomize's own words.
    """
    documents = "".join(f"---\n{chart.to_json(_each_text(item, _shield))}\n" for item in objects)
    path = f"{directory}/{RENDERED}"
    if os.path.lexists(path):
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(documents)
    argv = [private.path("kubectl"), "kustomize", "--load-restrictor=LoadRestrictionsNone", directory]
    try:
        output = run(argv, timeout=_TIMEOUT).stdout
    except CommandError as error:
        # kustomize speaks of the temporary copy, which tells users nothing
        raise PluginError(error.output.replace(f"{directory}/", "").replace(directory, ".")) from None
    return [_each_text(item, _unshield) for item in parse(output.decode("utf-8", "replace"))]


def parse(text: str) -> list[Object]:
    """The objects of YAML that kubectl wrote: every text stays one."""
    private.load_packages()
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}

    for name, pattern, first in _SCALARS:
        letters = [*first, ""] if name == "null" else list(first)
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), letters)
    try:
        found = [item for item in yaml.load_all(text, Loader=Loader) if item is not None]
    except yaml.YAMLError as error:
        raise PluginError(f"its output is not YAML: {error}") from None
    for item in found:
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not metadata.get("name") or not item.get("kind"):
            raise PluginError("its output holds something that is not a Kubernetes object")
    return found


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(key): _each_text(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each_text(item, change) for item in value]
    return value


def _shield(text: str) -> str:
    return _UNSAFE.sub(lambda found: f"{_MARK}{ord(found[0]):04x}{_END}", text)


def _unshield(text: str) -> str:
    return _SHIELDED.sub(lambda found: chr(int(found[1], 16)), text)
