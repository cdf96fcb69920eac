"""Whether a certificate and its key can serve: told before the cluster gets them, and never with their content."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.openssl import Certificate

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_SOON = timedelta(days=14)


def blocks(crt: str) -> list[str]:
    """The certificates of a PEM file, in its order."""
    return [found[0] for found in _BLOCK.finditer(crt) if found[1] in ("CERTIFICATE", "TRUSTED CERTIFICATE")]


def is_encrypted(key: str) -> bool:
    return "BEGIN ENCRYPTED PRIVATE KEY" in key or "Proc-Type: 4,ENCRYPTED" in key


def check(chain: Sequence[Certificate | None], key: str, public_key: str | None, now: datetime) -> list[str]:
    """`chain` is what openssl reads of each block, `public_key` what it reads of the key, None for what it cannot.

    Errors: PluginError with the reason why it cannot serve. Returns what the user should know of one that can.
    """
    if not chain:
        raise PluginError("its file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    read = [item for item in chain if item is not None]
    if len(read) < len(chain):
        raise PluginError(f"certificate {chain.index(None) + 1} of {len(chain)} in its file is damaged")
    if is_encrypted(key):
        raise PluginError(
            "its key is encrypted, and no password can be given to routers. Write one without, with: "
            "openssl pkey -in KEY -out PLAIN-KEY"
        )
    if public_key is None:
        raise PluginError("its key file holds no private key in PEM form")
    _check_pair(read, public_key)
    leaf = read[0]
    if now >= leaf.ends:
        raise PluginError(f"it expired on {leaf.ends:%Y-%m-%d %H:%M} UTC")
    return _warnings(read, now)


def _check_pair(chain: Sequence[Certificate], public_key: str) -> None:
    owners = [number for number, item in enumerate(chain, 1) if item.public_key == public_key]
    if not owners:
        raise PluginError(f"its key is not that of the certificate ({chain[0].subject})")
    if owners[0] != 1:
        raise PluginError(
            f"its key belongs to certificate {owners[0]} of {len(chain)} in the file: the app's own comes first, "
            "then the one that signed it"
        )


def _warnings(chain: Sequence[Certificate], now: datetime) -> list[str]:
    leaf = chain[0]
    told = []
    if now < leaf.begins:
        told.append(f"it is valid only from {leaf.begins:%Y-%m-%d %H:%M} UTC on")
    if leaf.ends - now < _SOON:
        told.append(f"it expires on {leaf.ends:%Y-%m-%d}")
    for number, (item, signer) in enumerate(pairwise(chain), 2):
        if item.issuer != signer.subject:
            told.append(
                f"certificate {number} of {len(chain)} ({signer.subject}) did not sign the one before it, "
                f"which {item.issuer} did: clients may not trust it"
            )
        if now >= signer.ends:
            told.append(
                f"certificate {number} of {len(chain)} ({signer.subject}) expired on {signer.ends:%Y-%m-%d}"
            )
    return told
