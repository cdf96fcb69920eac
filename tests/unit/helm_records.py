"""Records of releases as helm writes them: one Secret or ConfigMap per revision."""

import base64
import gzip
import json
from typing import Any

Object = dict[str, Any]


def content(revision: int = 3, status: str = "deployed", **more: Any) -> Object:
    """A record as helm 4 writes it."""
    return {
        "name": "shop",
        "info": {
            "first_deployed": "2026-01-01T00:00:00.123456789Z",
            "last_deployed": "2026-01-02T00:00:00Z",
            "description": "Install complete",
            "status": status,
        },
        "chart": {
            "metadata": {"name": "shop", "version": "0.0.1700000000", "apiVersion": "v2"},
            "lock": None,
            "templates": [{"name": "templates/objects.yaml", "data": "e30="}],
            "values": {"global": {"deployment_id": "1700000000"}},
            "schema": None,
            "files": [],
        },
        "manifest": "---\n# Source: shop/templates/objects.yaml\n{}\n",
        "version": revision,
        "namespace": "default",
        "apply_method": "csa",
        **more,
    }


def packed(what: object, kind: str = "Secret") -> str:
    """base64 of gzip of JSON; a Secret's data is base64 once more, as all of a Secret's data."""
    text = what if isinstance(what, bytes) else gzip.compress(json.dumps(what).encode())
    once = base64.b64encode(text)
    return (base64.b64encode(once) if kind == "Secret" else once).decode()


def record(what: object, kind: str = "Secret", revision: int = 3, status: str = "deployed") -> Object:
    return {
        "kind": kind,
        "metadata": {
            "name": f"sh.helm.release.v1.shop.v{revision}",
            "namespace": "default",
            "labels": {"owner": "helm", "name": "shop", "status": status, "version": str(revision)},
        },
        "data": {"release": packed(what, kind)},
    }
