"""The settings of a deploy: what is stored may be older than the rules that `set` goes by."""

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations.plan import Options
from unit.dokku_host import Host


@pytest.mark.parametrize(
    ("name", "value"), [("deploy-timeout", "soon"), ("rollback-on-failure", "yes"), ("namespace", "Team_A")]
)
def test_a_stored_value_that_cannot_be_is_told_with_its_property(dokku: Host, name: str, value: str) -> None:
    dokku.store("shop", name, value)
    with pytest.raises(PluginError) as raised:
        Options.of("shop")
    assert raised.value.message.startswith(f"Invalid {name}: {value}, must be ")
