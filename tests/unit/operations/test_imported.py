"""Which certificates are let into a cluster: real pairs, made by openssl, and what administrators mistake for one."""

import hashlib
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from scheduler_k3s import certificate_check
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import secret
from scheduler_k3s.operations import imported
from scheduler_k3s.operations.imported import Pair
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import openssl
from unit.certificates import Authority
from unit.dokku_host import Host

Make = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The PEM texts of a certificate, its authority's behind it, and of its key."""
    directory = tmp_path_factory.mktemp("certificates")
    authority = Authority(directory, "authority")

    def pair(name: str = "shop", days: int = 90) -> tuple[str, str]:
        crt, key = authority.issue(name, f"DNS:{name}.example.com", days)
        return crt.read_text() + authority.certificate.read_text(), key.read_text()

    return pair


def check(crt: str, key: str) -> list[str]:
    return imported.check("shop", Pair(crt, Secret(key)))


def test_a_chain_and_its_key_are_taken_whatever_ends_their_lines(make: Make) -> None:
    crt, key = make()
    told = check(crt, key)
    assert check(crt.replace("\n", "\r\n"), key.replace("\n", "\r\n")) == told == []


def test_the_key_of_another_certificate_is_refused(make: Make) -> None:
    with pytest.raises(PluginError, match=r"shop cannot be used: its key is not that of .*CN=shop"):
        check(make()[0], make("other")[1])


def test_the_own_certificate_comes_first(make: Make) -> None:
    crt, key = make()
    turned = "\n".join(reversed(certificate_check.blocks(crt)))
    with pytest.raises(PluginError, match="key belongs to certificate 2 of 2 in the file"):
        check(turned, key)


def test_a_certificate_that_did_not_sign_is_told(make: Make, tmp_path: Path) -> None:
    crt, key = make()
    stranger = Authority(tmp_path, "stranger").certificate.read_text()
    (told,) = check(certificate_check.blocks(crt)[0] + "\n" + stranger, key)
    assert "certificate 2 of 2 (CN=stranger) did not sign the one before it, which CN=authority did" in told


@pytest.mark.parametrize("words", [("-aes256",), ("-aes256", "-traditional")], ids=["pkcs8", "traditional"])
def test_an_encrypted_key_is_refused_with_the_way_out(make: Make, words: tuple[str, ...]) -> None:
    crt, key = make()
    locked = subprocess.run(
        ["openssl", "pkey", *words, "-passout", "pass:x"],
        input=key,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with pytest.raises(PluginError, match=r"key is encrypted.*openssl pkey -in KEY -out PLAIN-KEY"):
        check(crt, locked)


@pytest.mark.parametrize(
    ("crt", "key", "why"),
    [
        ("", "", "holds no certificate in PEM form"),
        ("hello", None, "holds no certificate in PEM form"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            None,
            "certificate 1 of 1 in its file is",
        ),
        (None, "", "key file holds no private key"),
        (
            None,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "key file holds no private key",
        ),
    ],
)
def test_what_is_no_pair_is_refused(make: Make, crt: "str | None", key: "str | None", why: str) -> None:
    good = make()
    with pytest.raises(PluginError, match=why):
        check(good[0] if crt is None else crt, good[1] if key is None else key)


def test_an_expired_one_is_refused_and_a_late_one_told(make: Make) -> None:
    crt, key = make()
    chain = [openssl.certificate(text) for text in certificate_check.blocks(crt)[:1]]
    public = openssl.public_key(Secret(key))
    now = datetime.now(timezone.utc)
    assert certificate_check.check(chain, key, public, now) == []
    (late,) = certificate_check.check(chain, key, public, now + timedelta(days=80))
    assert late.startswith("it expires on ")
    (early,) = certificate_check.check(chain, key, public, now - timedelta(days=1))
    assert early.startswith("it is valid only from ")
    with pytest.raises(PluginError, match="it expired on "):
        certificate_check.check(chain, key, public, now + timedelta(days=91))


def test_the_checksum_is_that_of_both_texts_as_dokku_keeps_them(make: Make) -> None:
    crt, key = (text.replace("\n", "\r\n") for text in make())
    labels = secret.certificate("shop", "default", crt, key)["metadata"]["labels"]
    assert labels["dokku.com/cert-checksum"] == hashlib.sha224((crt + key).encode()).hexdigest()


def test_dokku_is_asked_for_a_certificate_that_is_there(dokku: Host) -> None:
    dokku.app("shop")
    dokku.listener("certs", "certs-exists", "#!/bin/sh\necho true\n")
    dokku.listener("certs", "certs-get", '#!/bin/sh\nprintf "the $2 of $1\\n"\n')
    assert imported.pair("shop") is None
    (dokku.root / "shop/tls").mkdir()
    (dokku.root / "shop/tls/server.crt").touch()
    assert imported.pair("shop") == Pair("the crt of shop\n", Secret("the key of shop\n"))
