"""Node profiles: settings for joining nodes, one JSON object per profile in property `node-profile-<name>.json`."""

from scheduler_k3s import values
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ROLES = ("server", "worker")
_PREFIX, _SUFFIX = "node-profile-", ".json"
_LONGEST = 32
_ARGUMENT = values.ALNUM | {"-"}


class Profile:
    __slots__ = ("allow_unknown_hosts", "kubelet_args", "name", "role", "taint_scheduling")

    def __init__(
        self,
        name: str,
        role: str,
        allow_unknown_hosts: bool = False,
        taint_scheduling: bool = False,
        kubelet_args: "Sequence[str]" = (),
    ) -> None:
        self.name = name
        self.role = role
        self.allow_unknown_hosts = allow_unknown_hosts
        self.taint_scheduling = taint_scheduling
        self.kubelet_args = tuple(kubelet_args)

    def as_object(self) -> "dict[str, Any]":
        """As it is stored: what is false or empty is left out."""
        optional = {
            "allow_unknown_hosts": self.allow_unknown_hosts,
            "taint_scheduling": self.taint_scheduling,
            "kubelet_args": list(self.kubelet_args),
        }
        return {"name": self.name, "role": self.role, **{key: set_ for key, set_ in optional.items() if set_}}


def names() -> list[str]:
    found = properties.names(properties.GLOBAL)
    ours = (name for name in found if name.startswith(_PREFIX) and name.endswith(_SUFFIX))
    return sorted(filter(None, (name[len(_PREFIX) : -len(_SUFFIX)] for name in ours)))


def read(name: str) -> Profile:
    """Errors: PluginError when there is no such profile, or its file is damaged."""
    import json

    if name not in names():
        raise PluginError(f"Node profile {name} not found")
    try:
        return _profile(name, json.loads(properties.read(properties.GLOBAL, f"{_PREFIX}{name}{_SUFFIX}")))
    except (ValueError, RecursionError) as error:
        raise PluginError(f"Unable to unmarshal node profile: {name}: {error}") from None


def write(profile: Profile) -> None:
    import json

    text = json.dumps(profile.as_object(), separators=(",", ":"), ensure_ascii=False)
    properties.write(properties.GLOBAL, f"{_PREFIX}{profile.name}{_SUFFIX}", text)


def remove(name: str) -> None:
    properties.delete(properties.GLOBAL, f"{_PREFIX}{name}{_SUFFIX}")


def check_name(name: str) -> None:
    """The name is a label's value, and part of other names. Errors: PluginError."""
    if not name:
        raise PluginError("Missing profile name")
    if "-" in (name[0], name[-1]) or not values.consists_of(name, values.ANY_CASE | {"-"}):
        raise PluginError(
            "Invalid profile name, must only contain alphanumeric characters and dashes "
            f"and cannot start with a dash: {name}"
        )
    if len(name) > _LONGEST:
        raise PluginError(f"Profile name is too long, must be less than 32 characters: {name}")


def check_role(role: str) -> None:
    """Errors: PluginError."""
    if role not in ROLES:
        raise PluginError(f"Invalid role: {role}")


def kubelet_args(pieces: "Sequence[str]") -> list[str]:
    """The arguments that a list flag was split into: a comma ends one only where the next `key=` begins."""
    joined: list[str] = []
    for piece in pieces:
        name, equals, _ = piece.partition("=")
        begins = equals and name[:1] in values.LOWER and values.consists_of(name, _ARGUMENT)
        if joined and not begins:
            joined[-1] += f",{piece}"
        else:
            joined.append(piece)
    return joined


def check_kubelet_args(arguments: "Sequence[str]") -> None:
    """Each is the name of a kubelet flag and its value. Errors: PluginError."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        begins = name[:1] in values.LOWER and values.consists_of(name, _ARGUMENT)
        if not (begins and equals and value and value.isprintable()):
            raise PluginError(
                f"Invalid kubelet-args: {argument}, must be key=value with the name of a kubelet flag, for example "
                "max-pods=150; one that holds a comma needs double quotes around it, within those of the shell"
            )


def _profile(name: str, stored: object) -> Profile:
    """Errors: ValueError for what is no profile."""
    if not isinstance(stored, dict):
        raise ValueError("not a JSON object")
    arguments = stored.get("kubelet_args") or []
    named, role = stored.get("name") or name, stored.get("role") or ""
    unknown, taint = stored.get("allow_unknown_hosts") or False, stored.get("taint_scheduling") or False
    if not isinstance(arguments, list) or not all(
        isinstance(text, str) for text in (named, role, *arguments)
    ):
        raise ValueError("name, role and each of kubelet_args must be text")
    if not (isinstance(unknown, bool) and isinstance(taint, bool)):
        raise ValueError("allow_unknown_hosts and taint_scheduling must be true or false")
    return Profile(named, role, unknown, taint, arguments)
