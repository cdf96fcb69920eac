"""Properties in the shapes from before dokku 0.38.15, converted once; converting again changes nothing."""

import json
import os

from scheduler_k3s import charts, decorations
from scheduler_k3s.dokku import host, properties
from scheduler_k3s.errors import PluginError


def migrate() -> None:
    """Errors: PluginError naming each file that could not be read; all others are converted then."""
    _migrate_charts()
    broken = []
    for scope in _scopes():
        names = properties.names(scope)
        for name, _ in [*decorations.files(names), *decorations.files(names, decorations.LABELS)]:
            if not _migrate_lines(scope, name):
                broken.append(f"{scope}/{name}")
    if broken:
        raise PluginError(
            f"Unable to convert properties in {host.lib_root()}/config/{properties.PLUGIN}: every line must be "
            f"'key: value'. Correct or remove {', '.join(broken)}"
        )


def _scopes() -> list[str]:
    try:
        with os.scandir(f"{host.lib_root()}/config/{properties.PLUGIN}") as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except FileNotFoundError:
        return []


def _migrate_charts() -> None:
    """Files `chart.<chart>.<key>` become entries of the map `chart-overrides.<chart>`, where they win."""
    for name in properties.names(properties.GLOBAL):
        prefix, _, rest = name.partition(".")
        chart, _, key = rest.partition(".")
        if prefix != "chart" or not chart or not key:
            continue
        value = properties.read(properties.GLOBAL, name)
        if value:
            merged = {**charts.overrides(chart), key: value}
            properties.write_map(properties.GLOBAL, f"chart-overrides.{chart}", merged)
        properties.delete(properties.GLOBAL, name)


def _migrate_lines(scope: str, name: str) -> bool:
    """Lines of `key: value` become a map. False when the file holds something else."""
    text = properties.read(scope, name)
    try:
        json.loads(text or "{}")
        return True
    except ValueError:
        pass
    pairs = [line.partition(": ") for line in text.splitlines() if line.strip()]
    if not all(separator for _, separator, _ in pairs):
        return False
    properties.write_map(scope, name, {key: value for key, _, value in pairs})
    return True
