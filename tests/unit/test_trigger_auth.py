"""What autoscaling triggers log in with, as it is stored."""

import pytest
from scheduler_k3s import trigger_auth
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


def plain(scope: str) -> dict[str, dict[str, str]]:
    found = trigger_auth.stored(scope)
    return {
        trigger: {key: value.reveal() for key, value in pairs.items()} for trigger, pairs in found.items()
    }


def test_files_are_split_at_the_first_dot(dokku: Host) -> None:
    for name in ("t.b", "t.a.b", "s.k", ".k", "x.", "y"):
        dokku.store("web", f"trigger-auth.{name}", "v")
    assert plain("web") == {"s": {"k": "v"}, "t": {"a.b": "v", "b": "v"}}


def test_storing_adds_and_removing_takes_one_trigger_only(dokku: Host) -> None:
    trigger_auth.store("web", "t", {"a": "1"})
    trigger_auth.store("web", "t", {"b": "2\n", "c": ""})
    trigger_auth.store("web", "t-x", {"a": "3"})
    assert plain("web")["t"] == {"a": "1", "b": "2\n", "c": ""}
    assert (dokku.config / "web/trigger-auth.t.b").stat().st_mode & 0o777 == 0o600
    trigger_auth.remove("web", "t")
    assert plain("web") == {"t-x": {"a": "3"}}
    trigger_auth.remove("web", "../web")


def test_values_do_not_print(dokku: Host) -> None:
    dokku.store("web", "trigger-auth.t.k", "canary")
    assert "canary" not in str(trigger_auth.stored("web"))


@pytest.mark.parametrize("trigger", ["A", "a.b", "../a", "a b", "-a", "x" * 64])
def test_refused_triggers(trigger: str) -> None:
    with pytest.raises(PluginError, match=r"^Invalid trigger type: .*for example datadog$"):
        trigger_auth.check(trigger, {"a": "1"})


@pytest.mark.parametrize("key", ["", "a/b", "..", ".a", "a b", "ä", "x" * 151])
def test_refused_keys_do_not_show_the_value(key: str) -> None:
    with pytest.raises(PluginError, match=r"^Unable to set property: ") as raised:
        trigger_auth.check("t", {key: "canary"})
    assert "canary" not in raised.value.message
    trigger_auth.check("azure-servicebus", {"apiKey_1.x-y": "canary"})
