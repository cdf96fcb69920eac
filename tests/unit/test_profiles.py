"""Node profiles in the property store."""

import pytest
from scheduler_k3s import profiles
from scheduler_k3s.errors import PluginError
from scheduler_k3s.profiles import Profile
from unit.dokku_host import Host


def test_the_stored_form(dokku: Host) -> None:
    profiles.write(Profile("edge", "worker", True, True, ["max-pods=150"]))
    profiles.write(Profile("plain", "server"))
    stored = (dokku.config / "--global/node-profile-edge.json").read_text()
    assert stored == (
        '{"name":"edge","role":"worker","allow_unknown_hosts":true,"taint_scheduling":true,'
        '"kubelet_args":["max-pods=150"]}'
    )
    assert (
        dokku.config / "--global/node-profile-plain.json"
    ).read_text() == '{"name":"plain","role":"server"}'
    assert profiles.names() == ["edge", "plain"]
    found = profiles.read("edge")
    assert (found.role, found.allow_unknown_hosts, found.taint_scheduling) == ("worker", True, True)
    assert found.kubelet_args == ("max-pods=150",)


def test_missing_fields_are_false_and_unknown_ones_ignored(dokku: Host) -> None:
    dokku.store("--global", "node-profile-a.json", '{"name":"a","new":1,"kubelet_args":null}')
    assert profiles.read("a").as_object() == {"name": "a", "role": ""}


def test_other_files_are_no_profiles(dokku: Host) -> None:
    for name in ("node-profile-a", "node-profile-.json", "node-sysctls.profile.a", "a.json"):
        dokku.store("--global", name, "{}")
    assert profiles.names() == []
    with pytest.raises(PluginError, match=r"^Node profile a not found$"):
        profiles.read("a")


@pytest.mark.parametrize(
    "content",
    ["", "x", "[]", '"a"', '{"role":1}', '{"kubelet_args":"a"}', '{"taint_scheduling":"yes"}', "[" * 20000],
)
def test_a_damaged_profile(dokku: Host, content: str) -> None:
    dokku.store("--global", "node-profile-a.json", content)
    with pytest.raises(PluginError, match=r"^Unable to unmarshal node profile: a: "):
        profiles.read("a")


@pytest.mark.parametrize("name", ["a", "A", "9", "edge-Workers-1", "a" * 32])
def test_names(name: str) -> None:
    profiles.check_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Missing profile name"),
        *(
            (
                name,
                "Invalid profile name, must only contain alphanumeric characters and dashes "
                f"and cannot start with a dash: {name}",
            )
            for name in ("-a", "a-", "a b", "a_b", "a/b", "..", "ä", "a\n")
        ),
        ("a" * 33, f"Profile name is too long, must be less than 32 characters: {'a' * 33}"),
    ],
)
def test_refused_names(name: str, message: str) -> None:
    with pytest.raises(PluginError) as raised:
        profiles.check_name(name)
    assert raised.value.message == message


def test_kubelet_arguments() -> None:
    profiles.check_kubelet_args(
        ["max-pods=150", "eviction-hard=memory.available<200Mi,nodefs.available<10%", "v=2"]
    )
    for wrong in ("max-pods", "=1", "max-pods=", "--max-pods=1", "Max=1", "a b=1", "a=b\nc", ""):
        with pytest.raises(PluginError, match=r"(?s)^Invalid kubelet-args: .*for example max-pods=150"):
            profiles.check_kubelet_args([wrong])


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [
        (["max-pods=50", "v=2"], ["max-pods=50", "v=2"]),
        (
            ["eviction-hard=memory.available<200Mi", "nodefs.available<10%", "max-pods=50"],
            ["eviction-hard=memory.available<200Mi,nodefs.available<10%", "max-pods=50"],
        ),
        (["feature-gates=A=true", "BothCases=false"], ["feature-gates=A=true,BothCases=false"]),
        (["lonely"], ["lonely"]),
        ([], []),
    ],
)
def test_a_comma_separates_kubelet_arguments_only_where_the_next_begins(
    pieces: list[str], arguments: list[str]
) -> None:
    assert profiles.kubelet_args(pieces) == arguments
