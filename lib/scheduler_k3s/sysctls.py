"""The kernel settings of nodes, in map properties: of nodes without a profile, and of each profile's nodes."""

from scheduler_k3s import profiles, values
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError

_GLOBAL = "node-sysctls.global"
_OF_PROFILE = "node-sysctls.profile."
_PART = values.ALNUM | set("-_")
_VALUE = values.ANY_CASE | set(" \t-_.,:/|@%+")
_PER_POD = ("net.", "kernel.shm", "kernel.msg", "fs.mqueue.")


def own(profile: str) -> dict[str, str]:
    """Name and value as they are set for the profile, "" for the nodes without one."""
    return properties.read_map(properties.GLOBAL, _property(profile))


def resolved() -> dict[str, dict[str, str]]:
    """What the nodes of each scope get: "" first, then every profile, its own values over the global ones."""
    common = own("")
    return {"": common, **{profile: {**common, **own(profile)} for profile in profiles.names()}}


def change(profile: str, name: str, value: str) -> None:
    """Store a value, or remove it when it is empty. Errors: PluginError."""
    if value:
        check(name, value)
    properties.change_map(properties.GLOBAL, _property(profile), name, value)


def remove(profile: str) -> None:
    properties.delete(properties.GLOBAL, _property(profile))


def check(name: str, value: str) -> None:
    """A privileged container sets it. Errors: PluginError, also for what would change that container only."""
    parts = name.split(".")
    if len(parts) < 2 or not all(_is_part(part) for part in parts) or len(name) > 253:
        raise PluginError(
            f"Invalid sysctl name: {name}, must be words of lowercase letters, digits, '-' and '_' "
            "with dots between them, for example vm.max_map_count"
        )
    if is_per_pod(name):
        raise PluginError(
            f"Invalid sysctl name: {name}, it has a value for each pod, not for the node. "
            f"Set it for an app, for example: dokku docker-options:add APP deploy '--sysctl {name}=VALUE'"
        )
    if not value.strip() or not values.consists_of(value, _VALUE):
        raise PluginError(
            f"Invalid value of {name}: {value}, must be numbers or words of letters, digits and -_.,:/|@%+ "
            "with blanks between them, for example 262144"
        )


def is_per_pod(name: str) -> bool:
    """Whether the kernel keeps a value of it for each pod, not one for the node."""
    return name == "kernel.sem" or name.startswith(_PER_POD)


def _is_part(text: str) -> bool:
    return text[:1] in values.ALNUM and text[-1:] in values.ALNUM and values.consists_of(text, _PART)


def _property(profile: str) -> str:
    return f"{_OF_PROFILE}{profile}" if profile else _GLOBAL
