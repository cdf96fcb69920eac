"""What autoscaling triggers log in with: property `trigger-auth.<trigger>.<key>`, of an app or of all."""

from scheduler_k3s import values
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

PREFIX = "trigger-auth."
_KEY = values.ANY_CASE | set("-_.")


def stored(scope: str) -> dict[str, dict[str, Secret]]:
    """Key and value by trigger, all sorted."""
    found: dict[str, dict[str, Secret]] = {}
    for name in properties.names(scope):
        trigger, _, key = name.removeprefix(PREFIX).partition(".")
        if name.startswith(PREFIX) and trigger and key:
            found.setdefault(trigger, {})[key] = Secret(properties.read(scope, name))
    return {trigger: dict(sorted(found[trigger].items())) for trigger in sorted(found)}


def check(trigger: str, pairs: dict[str, str]) -> None:
    """The trigger names objects and the keys are a Secret's. Errors: PluginError."""
    if not values.is_label(trigger):
        raise PluginError(
            f"Invalid trigger type: {trigger}, must be at most 63 lowercase letters, digits and '-', "
            "beginning and ending with a letter or digit, for example datadog"
        )
    for key, value in pairs.items():
        if not values.consists_of(key, _KEY) or key[0] == "." or len(key) > 150:
            raise PluginError(
                f"Unable to set property: Invalid metadata key: {key}, must be at most 150 letters, digits, "
                "'-', '_' and '.', not beginning with '.', for example apiKey"
            )
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PluginError(f"Unable to set property: the value of {key} must be UTF-8") from None


def store(scope: str, trigger: str, pairs: dict[str, str]) -> None:
    """Keys that are not named stay as they are."""
    for key, value in pairs.items():
        properties.write(scope, f"{PREFIX}{trigger}.{key}", value)


def remove(scope: str, trigger: str) -> None:
    for key in stored(scope).get(trigger, {}):
        properties.delete(scope, f"{PREFIX}{trigger}.{key}")
