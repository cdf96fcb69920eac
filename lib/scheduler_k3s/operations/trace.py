"""What `dokku --trace` shows of a deploy: every object, without what is secret."""

import json
import os
from collections.abc import Mapping, Sequence

from scheduler_k3s import log
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools.cluster import Object


def show(objects: Sequence[Object], config: Mapping[str, Secret]) -> None:
    """A command may have been made of the app's config: such words are not shown either."""
    if os.environ.get("DOKKU_TRACE") != "1":
        return
    hidden = [value.reveal() for value in config.values() if value.reveal()]
    for item in objects:
        log.debug(json.dumps(_masked(item, hidden), indent=1, ensure_ascii=False))


def _masked(node: object, hidden: Sequence[str]) -> object:
    if isinstance(node, dict):
        is_secret = node.get("kind") == "Secret"
        return {
            key: dict.fromkeys(value, "***")
            if is_secret and key in ("data", "stringData")
            else _words(value, hidden)
            if key in ("args", "command")
            else _masked(value, hidden)
            for key, value in node.items()
        }
    return [_masked(item, hidden) for item in node] if isinstance(node, list) else node


def _words(words: object, hidden: Sequence[str]) -> object:
    if not isinstance(words, list):
        return words
    return ["***" if any(value in str(word) for value in hidden) else word for word in words]
