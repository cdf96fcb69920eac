"""Helm's chart repositories: an index over HTTP, and the archives that it names, checked by its digests.

helm can fetch charts itself, but installs whatever archive it gets: it does not compare digests.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from scheduler_k3s import semver
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import download, private

_NAMED = 5


class ChartRepository:
    """The repository at `url`; its index is fetched once. `directory` is a private one for the archives."""

    def __init__(self, url: str, directory: str) -> None:
        self.url = url.rstrip("/")
        self._directory = directory
        self._index: Mapping[str, Any] | None = None

    @contextlib.contextmanager
    def chart(self, name: str, version: str) -> Iterator[str]:
        """The path of the archive, which is gone afterwards. Errors: PluginError that names the URL."""
        entry = self._entry(name, version)
        urls = entry.get("urls") or [f"{name}-{version}.tgz"]
        url = urljoin(f"{self.url}/", str(urls[0]))
        with download.received(url, self._directory) as (path, found):
            digest = str(entry.get("digest") or found).removeprefix("sha256:")
            if digest != found:
                raise PluginError(f"{url} has the sha256 digest {found}, not {digest} as the index says")
            yield path

    def _entry(self, name: str, version: str) -> Mapping[str, Any]:
        known = [entry for entry in self._entries().get(name) or () if isinstance(entry, dict)]
        wanted = semver.parse(version)
        for entry in known:
            if _version(entry) == wanted:
                return entry
        others = sorted(filter(_version, known), key=lambda entry: _version(entry) or wanted, reverse=True)
        names = ", ".join(str(entry["version"]) for entry in others[:_NAMED])
        has = f"its newest of that name are {names}" if names else "it has none of that name"
        raise PluginError(f"{self.url} does not have the chart {name} {version}: {has}")

    def _entries(self) -> Mapping[str, Any]:
        if self._index is None:
            url = f"{self.url}/index.yaml"
            with download.received(url, self._directory) as (path, _), open(path, "rb") as file:
                index = _parse(file.read().decode("utf-8", "replace"))
            entries = index.get("entries") if isinstance(index, dict) else None
            if not isinstance(entries, dict):
                raise PluginError(f"{url} is not the index of a chart repository")
            self._index = entries
        return self._index


def _parse(text: str) -> object:
    """JSON, or YAML; None for neither."""
    with contextlib.suppress(ValueError):
        return json.loads(text)
    private.load_packages()
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return None


def _version(entry: Mapping[str, Any]) -> semver.Key | None:
    try:
        return semver.parse(str(entry.get("version")))
    except ValueError:
        return None
