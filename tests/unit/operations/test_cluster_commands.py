"""What the commands that change the cluster at once say when they cannot."""

import json
from collections.abc import Iterator

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import node_sysctls
from scheduler_k3s.operations.node_sysctls import release_name
from scheduler_k3s.operations.set_property import set_property
from scheduler_k3s.operations.set_trigger_auth import set_trigger_auth
from unit.dokku_host import Host
from unit.object_api import ObjectApi, serve


@pytest.fixture
def api(dokku: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    """An API that the host is set up for, and no tools."""
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(dokku.lib / "no-tools"))
    with serve() as api:
        api.groups["/version"] = {"major": "1", "minor": "34"}
        kubeconfig = dokku.store("--global", "kubeconfig", json.dumps(_kubeconfig(api.url)))
        dokku.store("--global", "kubeconfig-path", str(kubeconfig))
        yield api


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {}}],
    }


def refusal(scope: str, trigger: str, pairs: dict[str, str]) -> str:
    with pytest.raises(PluginError) as raised:
        set_trigger_auth(scope, trigger, pairs)
    return raised.value.message


def test_without_keda_the_way_to_it_is_named_and_the_settings_stay(api: ObjectApi, dokku: Host) -> None:
    assert refusal("--global", "datadog", {"a": "1"}) == (
        "Unable to install chart: KEDA is not installed in the cluster. "
        "Install it with: dokku scheduler-k3s:ensure-charts --charts keda"
    )
    assert (dokku.config / "--global/trigger-auth.datadog.a").read_text() == "1"
    assert all(method == "GET" for method, *_ in api.asked)


def test_a_server_that_is_down_is_no_helm_agent(api: ObjectApi) -> None:
    api.down = 503
    message = refusal("--global", "datadog", {"a": "1"})
    assert message.startswith("Unable to create helm agent: ")
    assert message.splitlines()[-1] == (
        "What is set stays stored. Bring it to the cluster with: dokku scheduler-k3s:ensure-charts"
    )
    assert refusal("--global", "datadog", {}).startswith("Unable to create helm agent: ")


def test_forgetting_what_the_cluster_does_not_have_needs_no_helm(api: ObjectApi) -> None:
    set_trigger_auth("--global", "datadog", {})


def test_errors_of_sysctls_say_what_was_tried_and_leave_them_stored(api: ObjectApi, dokku: Host) -> None:
    with pytest.raises(PluginError) as raised:
        node_sysctls.set_sysctl("", False, "vm.swappiness", "1")
    start = "error installing node sysctls chart: "
    assert raised.value.message.startswith(start)
    assert raised.value.message.count(start) == 1
    assert (dokku.config / "--global/node-sysctls.global").read_text() == '{"vm.swappiness":"1"}'


def test_sysctls_wait_for_a_server_that_is_down(api: ObjectApi) -> None:
    api.down = 503
    node_sysctls.set_sysctl("", False, "vm.swappiness", "1")
    node_sysctls.remove_profile("big")
    assert {path for _, path, _ in api.asked} == {"/version"}


def test_another_image_for_sysctls_gets_to_the_nodes_that_have_some(api: ObjectApi, dokku: Host) -> None:
    set_property("--global", "node-sysctls-image", "own:1")
    assert api.asked == []
    dokku.store("--global", "node-sysctls.global", '{"vm.swappiness":"1"}')
    with pytest.raises(PluginError, match="error installing node sysctls chart: "):
        set_property("--global", "node-sysctls-image", "own:2")
    assert (dokku.config / "--global/node-sysctls-image").read_text() == "own:2"


def test_releases_of_profiles_have_names_that_helm_takes() -> None:
    assert release_name("") == "dokku-node-sysctls-global"
    assert release_name("edge-workers") == "dokku-node-sysctls-profile-edge-workers"
    others = [release_name(name) for name in ("Edge", "edge", "a" * 32, "a" * 31 + "b", "a" * 31 + "B")]
    assert len(set(others)) == 5
    assert all(len(name) <= 53 and name == name.lower() for name in others)
