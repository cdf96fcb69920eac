"""Domains as dokku keeps them -> hosts as Kubernetes takes them: lowercase, ASCII, at most one `*.` in front."""

from collections.abc import Sequence

from scheduler_k3s import values
from scheduler_k3s.errors import PluginError

WILDCARD = "*."
_LENGTH = 253
_LABEL = 63
# the older and the newer rules for international names spell names with these letters differently
_AMBIGUOUS = frozenset("ßẞς\u200c\u200d")


def normalised(app: str, domains: Sequence[str]) -> tuple[str, ...]:
    """Lowercase, without the dot of the root, each host once; international names stay readable.

    Errors: PluginError for a domain that no Ingress can have.
    """
    kept: dict[str, str] = {}
    for domain in domains:
        plain = domain.lower().removesuffix(".")
        try:
            kept.setdefault(host(plain), plain)
        except ValueError as error:
            raise PluginError(
                f"Domain {domain!r} of {app} cannot be routed: {error}. "
                f"Take it away with: dokku domains:remove {app} {domain}"
            ) from None
    return tuple(kept.values())


def host(domain: str) -> str:
    """The domain as clients send it, international labels as `xn--`. Errors: ValueError with the rule."""
    wildcard = WILDCARD if domain.startswith(WILDCARD) else ""
    labels = [_label(label) for label in domain[len(wildcard) :].split(".")]
    found = wildcard + ".".join(labels)
    if len(found) > _LENGTH:
        raise ValueError(f"it has {len(found)} characters, {_LENGTH} are allowed")
    if len(labels) == 4 and all(values.consists_of(label, values.DIGITS) for label in labels):
        raise ValueError("it is an IP address, and routes go by name")
    return found


def _label(text: str) -> str:
    label = text if text.isascii() else _international(text)
    if not label:
        raise ValueError("a part between its dots is empty")
    if len(label) > _LABEL:
        raise ValueError(f"its part {text} has {len(label)} characters, {_LABEL} are allowed")
    if not values.is_label(label):
        raise ValueError(
            f"its part {text!r} must be letters, digits and '-', beginning and ending with a letter or digit; "
            "a wildcard stands alone and in front, as in *.example.com"
        )
    return label


def _international(text: str) -> str:
    if ambiguous := sorted(_AMBIGUOUS & set(text)):
        raise ValueError(
            f"its letter {ambiguous[0]!r} has two spellings in DNS; write {text!r} in the one that you "
            "registered, which begins with xn--"
        )
    from encodings import idna

    try:
        return idna.ToASCII(text).decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"its part {text!r} is no international name: {error}") from None
