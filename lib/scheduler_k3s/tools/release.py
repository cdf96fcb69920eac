"""Reads helm's own records of a release: one Secret (or ConfigMap) per revision, gzipped JSON inside.

helm can tell the same, but takes 0.1 s and a process for each question; and only by writing the record can a
revision that a dead process left "pending" be ended without rolling pods.
"""

import base64
import copy
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import Cluster, Object, name
from scheduler_k3s.tools.revisions import records_path, revisions_of

PENDING = ("pending-install", "pending-upgrade", "pending-rollback", "uninstalling")
"""What helm writes before an operation and replaces at its end. It takes no release in such a state further."""
_ABANDONED = "ended by dokku: the command that made this revision was killed"
MARK = "dokku.com/managed"
LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Release:
    """One revision. `values` are the computed ones: the chart's, overlaid by what was given on a command line.
    `description` is why it is in its status."""

    name: str
    namespace: str
    revision: int
    status: str
    chart_version: str
    values: Mapping[str, Any]
    manifest: str
    record: Object
    description: str = ""

    @property
    def is_dokkus(self) -> bool:
        """Whether dokku made it. A kustomization may have left none of the objects that carry dokku's mark."""
        return MARK in self.manifest or self.value("global.app_name") == self.name

    def value(self, path: str, default: str = "") -> str:
        """The value at a dotted path, as text; older charts wrote numbers where text was meant."""
        node: Any = self.values
        for key in path.split("."):
            if not isinstance(node, Mapping) or key not in node:
                return default
            node = node[key]
        return default if node is None else str(node)


def newest(cluster: Cluster, namespace: str, release: str, status: str = "") -> Release | None:
    """The newest revision, of any status or of the given one. None when there is no such revision."""
    entries = revisions_of(cluster, namespace, release)
    if status:
        entries = [entry for entry in entries if entry["metadata"]["labels"].get("status") == status]
    return fetch(cluster, namespace, entries[-1]) if entries else None


def fetch(cluster: Cluster, namespace: str, revision: Object) -> Release | None:
    """The revision that `revisions_of` named; None when it is gone by now."""
    record = cluster.find(f"{records_path(namespace)}/{name(revision['metadata']['name'])}")
    return None if record is None else decode(record)


def set_status(cluster: Cluster, revision: Release, status: str, why: str) -> None:
    """Write another status into a revision's record, as helm does at the end of an operation.

    Errors: ApiError 409 when somebody else changed the record meanwhile.
    """
    body = copy.deepcopy(revision.record)
    content = _content(body)
    content["info"]["status"] = status
    content["info"]["description"] = why
    body["metadata"]["labels"]["status"] = status
    _store(body, _pack(content))
    cluster.replace(f"{records_path(revision.namespace)}/{name(body['metadata']['name'])}", body)


def end_abandoned(cluster: Cluster, revision: Release | None) -> bool:
    """Record a revision that is unfinished as failed. True when it was.

    For who holds the locks under which it was made: whoever left it so is dead, with its helm.
    """
    if revision is None or revision.status not in PENDING:
        return False
    set_status(cluster, revision, "failed", _ABANDONED)
    return True


def set_manifest(cluster: Cluster, revision: Release, manifest: str) -> None:
    """Write another manifest into a revision's record. Errors: ApiError 409 as above."""
    body = copy.deepcopy(revision.record)
    _store(body, _pack({**_content(body), "manifest": manifest}))
    cluster.replace(f"{records_path(revision.namespace)}/{name(body['metadata']['name'])}", body)


def decode(record: Object) -> Release:
    """Errors: PluginError when the record is not helm's."""
    content = _content(record)
    chart = content.get("chart") or {}
    return Release(
        name=content["name"],
        namespace=content.get("namespace") or record["metadata"]["namespace"],
        revision=int(content.get("version") or 0),
        status=str((content.get("info") or {}).get("status") or ""),
        chart_version=str((chart.get("metadata") or {}).get("version") or ""),
        values=_overlay(chart.get("values") or {}, content.get("config") or {}),
        manifest=content.get("manifest") or "",
        record=record,
        description=str((content.get("info") or {}).get("description") or ""),
    )


def size(chart_files: Mapping[str, str]) -> int:
    """How large helm's record of a chart gets at most, in bytes: it holds every file and the manifest, packed.

    Kubernetes takes at most 1 MiB (`LIMIT`) in one Secret.
    """
    files = [
        {"name": path, "data": base64.b64encode(text.encode()).decode()}
        for path, text in chart_files.items()
        if path != "values.yaml"
    ]
    values = json.loads(chart_files["values.yaml"])
    content = {"files": files, "values": values, "manifest": chart_files["objects.json"]}
    packed = _pack(content)
    # Go packs up to 2 % less tightly than Python; the rest is for names, times and a comment per object
    return len(packed) + len(packed) // 50 + 2048


def _content(record: Object) -> Object:
    try:
        packed = record["data"]["release"]
        if record.get("kind", "Secret") == "Secret":
            packed = base64.b64decode(packed)
        raw = base64.b64decode(packed)
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        content = json.loads(text)
        content["name"]
    except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error):
        where = record.get("metadata", {}).get("name", "?")
        raise PluginError(f"Unable to read helm's record {where}: it is damaged or not helm's") from None
    return dict(content)


def _pack(content: Object) -> bytes:
    """JSON as Go writes it, which escapes HTML's own characters, packed as helm does."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return base64.b64encode(gzip.compress(text.encode()))


def _store(record: Object, packed: bytes) -> None:
    if record.get("kind", "Secret") == "Secret":
        packed = base64.b64encode(packed)
    record["data"]["release"] = packed.decode("ascii")


def _overlay(base: Mapping[str, Any], top: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = (
            _overlay(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return merged
