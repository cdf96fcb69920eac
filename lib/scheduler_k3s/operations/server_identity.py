"""Who the first server is: its node's name and the tokens of its cluster, kept in properties from the first run on."""

import secrets
from typing import NamedTuple

from scheduler_k3s import k3s_config, log
from scheduler_k3s.dokku import properties
from scheduler_k3s.secret import Secret

GLOBAL = properties.GLOBAL
TOKEN, AGENT_TOKEN, NODE = "token", "agent-token", "node-name"
_TOKEN_BYTES = 32
_SHORT_TOKEN = 22
"""Characters: fewer cannot hold 128 bits, even with capitals and digits."""


class Identity(NamedTuple):
    node: str
    token: Secret
    agent_token: Secret


def stored_or_new(address: str, is_resumed: bool) -> Identity:
    """Tokens that are set are kept; the node's name only by a run that goes on, since a new cluster is a new node."""
    known = properties.read(GLOBAL, NODE) if is_resumed else ""
    node = known or k3s_config.node_name(address, secrets.token_hex(5))
    properties.write(GLOBAL, NODE, node)
    return Identity(node, _token(TOKEN), _token(AGENT_TOKEN))


def tell_of_token() -> None:
    """A token that was there before initialize may be known to others, or be short."""
    value = properties.read(GLOBAL, TOKEN)
    if value:
        log.detail_quiet("Using the token that is set: hosts that knew it before can join")
    if 0 < len(value) < _SHORT_TOKEN:
        log.warn(
            f"The token has {len(value)} characters, which can be guessed. Better let initialize make one: "
            "dokku scheduler-k3s:set --global token"
        )


def _token(key: str) -> Secret:
    """The value itself is never shown."""
    value = properties.read(GLOBAL, key)
    if not value:
        value = secrets.token_hex(_TOKEN_BYTES)
        properties.write(GLOBAL, key, value)
    return Secret(value)
