"""The helm chart of a release, as its files. Objects go in as data: no user text ever meets a template.

One template prints a file of the chart; what `.Files.Get` returns is not evaluated again. The objects are
JSON, which is YAML too, one document each.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from scheduler_k3s.errors import PluginError

Object = dict[str, Any]

TEMPLATE = '{{ .Files.Get "objects.json" }}\n'
# YAML calls these line breaks or unprintable, JSON leaves them as they are
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def files(name: str, version: str, objects: Sequence[Object], values: Mapping[str, Any]) -> dict[str, str]:
    """The text of each file, by its path. Errors: PluginError naming an object whose texts are none."""
    chart = {
        "apiVersion": "v2",
        "name": name,
        "version": version,
        "appVersion": "1.0.0",
        "icon": "https://dokku.com/assets/dokku-logo.svg",
    }
    return {
        "Chart.yaml": to_json(chart) + "\n",
        "values.yaml": to_json(values) + "\n",
        "objects.json": "".join(f"---\n{_document(item)}\n" for item in objects),
        "templates/objects.yaml": TEMPLATE,
    }


def to_json(value: object) -> str:
    """JSON that YAML readers understand as the same: characters outside the basic plane stay themselves
    (YAML knows no surrogate pairs), unprintable ones are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _document(item: Object) -> str:
    text = to_json(item)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PluginError(
            f"{item['kind']} {item['metadata']['name']} would hold text that is not UTF-8, which Kubernetes requires"
        ) from None
    return text


def app_values(
    *,
    app: str,
    namespace: str,
    deployment_id: str,
    image: Mapping[str, str],
    processes: Mapping[str, Mapping[str, Any]],
) -> Object:
    """What later operations read back from the release: ids for a targeted restart, the image for `run`."""
    return {
        "global": {
            "app_name": app,
            "namespace": namespace,
            "deployment_id": deployment_id,
            "image": dict(image),
        },
        "processes": {key: dict(value) for key, value in processes.items()},
    }
