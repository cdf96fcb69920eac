"""k3s' registries.yaml with one login more."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import registries
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret

ADMINS = """mirrors:
  docker.io:
    endpoint: [https://mirror.example.com]
configs:
  mirror.example.com:
    tls: {ca_file: /etc/ca.pem}
  registry.example.com:
    auth: {username: old, password: old}
"""
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def load(text: str) -> Any:
    return yaml.safe_load(text)


def test_what_else_there_is_stays() -> None:
    found = load(registries.merged(ADMINS, "registry.example.com", "me", Secret("new")))
    before = load(ADMINS)
    before["configs"]["registry.example.com"]["auth"] = {"username": "me", "password": "new"}
    assert found == before
    assert load(registries.merged(ADMINS, "mirror.example.com", "me", Secret("x")))["configs"][
        "mirror.example.com"
    ] == {"tls": {"ca_file": "/etc/ca.pem"}, "auth": {"username": "me", "password": "x"}}


@given(user=texts, password=texts)
def test_logins_come_back_as_they_were_and_a_second_time_changes_nothing(user: str, password: str) -> None:
    first = registries.merged("", "registry.example.com:5000", user, Secret(password))
    assert load(first) == {
        "configs": {"registry.example.com:5000": {"auth": {"username": user, "password": password}}}
    }
    assert registries.merged(first, "registry.example.com:5000", user, Secret(password)) == first


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("docker.io", "registry-1.docker.io"),
        ("https://index.docker.io/v1/", "registry-1.docker.io"),
        ("ghcr.io", "ghcr.io"),
        ("registry.example.com:5000/team", "registry.example.com:5000"),
    ],
)
def test_the_name_of_a_registry(server: str, name: str) -> None:
    assert list(load(registries.merged("", server, "a", Secret("b")))["configs"]) == [name]


@pytest.mark.parametrize(
    "text", ["- a", "x", "configs: [a]", "configs: {a.example: b}", "a: 'canary", "configs: canary"]
)
def test_a_file_that_is_not_k3s_own_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(PluginError, match=r"^/etc/rancher/k3s/registries.yaml is not ") as raised:
        registries.merged(text, "a.example", "me", Secret("b"))
    assert "canary" not in raised.value.message
