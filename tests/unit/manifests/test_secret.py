"""The Secrets hold what they were given, byte for byte."""

import base64

from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s.manifests import secret
from scheduler_k3s.secret import Secret
from unit.models import shop

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), TEXT, min_size=1))
def test_every_value_comes_back(config: dict[str, str]) -> None:
    made = secret.config(shop(config={key: Secret(value) for key, value in config.items()}))
    assert {k: base64.b64decode(v).decode() for k, v in made["data"].items()} == config


def test_no_config_is_no_data() -> None:
    assert "data" not in secret.config(shop())


@given(st.binary())
def test_registry_credentials_are_not_touched(content: bytes) -> None:
    made = secret.pull_secret(shop(), content)
    assert base64.b64decode(made["data"][".dockerconfigjson"]) == content


def test_the_comments_of_a_certificate_may_be_in_any_encoding() -> None:
    octets = b"friendlyName: caf\xe9\n-----BEGIN CERTIFICATE-----\n"
    found = secret.certificate("shop", "default", octets.decode("utf-8", "surrogateescape"), "KEY")
    assert base64.b64decode(found["data"]["tls.crt"]) == octets
