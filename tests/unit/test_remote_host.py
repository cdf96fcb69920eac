"""Where a node is reached: what is understood, what is refused, and that no password is repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import remote_host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.remote_host import RemoteHost


def refusal(text: str, user: str = "dokku") -> str:
    with pytest.raises(PluginError) as raised:
        remote_host.parse(text, user)
    return raised.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssh://root@10.0.0.6", RemoteHost("root", "10.0.0.6", 22)),
        ("ssh://10.0.0.6", RemoteHost("dokku", "10.0.0.6", 22)),
        ("ssh://root@Worker-1.Example.com:2222", RemoteHost("root", "worker-1.example.com", 2222)),
        ("SSH://root@a/", RemoteHost("root", "a", 22)),
        ("ssh://root@[FD00:0::6]:2222", RemoteHost("root", "fd00::6", 2222)),
        ("ssh://root@[::1]", RemoteHost("root", "::1", 22)),
        ("ssh://first.last@under_score", RemoteHost("first.last", "under_score", 22)),
    ],
)
def test_forms(text: str, expected: RemoteHost) -> None:
    assert remote_host.parse(text, "dokku") == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ssh://a@h", "h"),
        ("ssh://a@h:2222", "[h]:2222"),
        ("ssh://a@[::1]", "::1"),
        ("ssh://a@[::1]:9", "[::1]:9"),
    ],
)
def test_the_name_in_known_hosts(text: str, name: str) -> None:
    assert remote_host.parse(text, "").known_name == name


@pytest.mark.parametrize("text", ["", "10.0.0.6", "root@10.0.0.6", "ssh:10.0.0.6", "-oProxyCommand=x"])
def test_a_missing_scheme(text: str) -> None:
    assert refusal(text).startswith(f"missing remote host ssh scheme in remote host: {text},")


def test_another_scheme() -> None:
    assert refusal("http://10.0.0.6").startswith("invalid remote host scheme: http,")


@pytest.mark.parametrize(
    "text",
    [
        "ssh://",
        "ssh://root@",
        "ssh://@host",
        "ssh://-oProxyCommand=x",
        "ssh://root@-oProxyCommand=x",
        "ssh://-l@host",
        "ssh://root@host:0",
        "ssh://root@host:65536",
        "ssh://root@host:",
        "ssh://root@host:ssh",
        "ssh://root@host:-1",
        "ssh://root@host:22:22",
        "ssh://root@fd00::6",
        "ssh://root@[fd00::6",
        "ssh://root@[host]",
        "ssh://root@[fd00::6]22",
        "ssh://root@[fe80::1%eth0]",
        "ssh://root@host/path",
        "ssh://root@host?x",
        "ssh://ro ot@host",
        "ssh://root@ho st",
        "ssh://root@$(id)",
        "ssh://`id`@host",
        "ssh://root@host;id",
        "ssh://root@host\n",
        "ssh://root@ho%73t",
        "ssh://root@" + "a" * 254,
    ],
)
def test_what_cannot_be_a_place(text: str) -> None:
    assert refusal(text).startswith("Invalid remote host: ")


def test_no_user_at_all() -> None:
    assert "no user cannot be a user name" in refusal("ssh://host", user="")


@given(
    secret=st.text(min_size=4).filter(lambda text: "example" not in text and text not in "ssh://root***"),
    text=st.sampled_from(["ssh://root:{}@host", "ssh://:{}@host:22", "root:{}@host", "ssh://root:{}@-x"]),
)
def test_a_password_is_refused_and_not_repeated(secret: str, text: str) -> None:
    canary = f"Canary{secret}Canary"
    message = refusal(text.format(canary))
    assert "Canary" not in message
    assert "\n" not in message


def test_a_password_that_was_noted_earlier() -> None:
    assert remote_host.without_password("ssh://root:pass@word@[::1]:22") == "ssh://root@[::1]:22"
    for text in ("ssh://root@host:22", "ssh://host:22", "ssh://[::1]:22", "", "host"):
        assert remote_host.without_password(text) == text


@pytest.mark.parametrize("address", ["10.0.0.5", "fd00::5", "server.example.com"])
def test_addresses_of_servers(address: str) -> None:
    remote_host.check_server(address)


@pytest.mark.parametrize("address", ["", "-x", "a b", "10.0.0.5:6443", "$(id)", "https://a", "[fd00::5]"])
def test_what_is_no_address_of_a_server(address: str) -> None:
    with pytest.raises(PluginError, match=r"^Invalid server-ip: .*for example 10.0.0.5$"):
        remote_host.check_server(address)


@given(st.text())
def test_any_text_is_a_place_or_a_message(text: str) -> None:
    try:
        found = remote_host.parse(f"ssh://{text}", "dokku")
    except PluginError:
        return
    assert remote_host.parse(found.url, "other") == found
    assert found.host[0] != "-" and found.user[0] != "-"
