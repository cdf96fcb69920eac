"""Domains as users spell them become hosts as Kubernetes takes them, or are refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import domains
from scheduler_k3s.errors import PluginError


@pytest.mark.parametrize(
    ("spelled", "host"),
    [
        ("a.example.com", "a.example.com"),
        ("*.example.com", "*.example.com"),
        ("localhost", "localhost"),
        ("007", "007"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("*.例え.jp", "*.xn--r8jz45g.jp"),
        (f"{'a' * 63}.com", f"{'a' * 63}.com"),
    ],
)
def test_hosts(spelled: str, host: str) -> None:
    assert domains.host(spelled) == host


def test_case_and_the_root_s_dot_do_not_count() -> None:
    spelled = ("Shop.Example.COM", "shop.example.com.", "MÜNCHEN.de", "xn--mnchen-3ya.de", "*.Example.com")
    assert domains.normalised("shop", spelled) == ("shop.example.com", "münchen.de", "*.example.com")


@pytest.mark.parametrize(
    ("domain", "rule"),
    [
        ("", "empty"),
        ("a..b", "empty"),
        ("a.com..", "empty"),
        (".com", "empty"),
        ("a_b.com", "'a_b' must be letters"),
        ("-a.com", "'-a' must be letters"),
        ("a b.com", "'a b' must be letters"),
        ("a.com:80", "'com:80' must be letters"),
        ("a`) || Host(`b.com", "must be letters"),
        ("*", "must be letters"),
        ("a.*.com", "must be letters"),
        ("*.*.com", "must be letters"),
        ("*a.com", "must be letters"),
        (f"{'a' * 64}.com", "has 64 characters, 63 are allowed"),
        (".".join(["a" * 62] * 5), "it has 314 characters, 253 are allowed"),
        ("10.0.0.1", "IP address"),
        ("straße.de", "'ß' has two spellings"),
        ("a\ud800.de", "no international name"),
    ],
)
def test_what_no_ingress_can_have_is_refused(domain: str, rule: str) -> None:
    with pytest.raises(PluginError) as raised:
        domains.normalised("shop", [domain])
    assert rule in raised.value.message
    assert repr(domain) in raised.value.message
    assert f"dokku domains:remove shop {domain}" in raised.value.message


@given(st.lists(st.text(), max_size=3))
def test_whatever_passes_is_a_host_for_kubernetes(texts: list[str]) -> None:
    try:
        kept = domains.normalised("shop", texts)
    except PluginError:
        return
    for domain in kept:
        host = domains.host(domain).removeprefix("*.")
        assert len(host) <= 253
        assert all(
            part and part.isascii() and part.replace("-", "").isalnum() and part == part.lower()
            for part in host.split(".")
        )
