"""openssl, for what certificates and keys say of themselves. Keys reach it by stdin."""

from datetime import datetime, timezone
from typing import NamedTuple

from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools.command import CommandError, run

_FORM = ("-nameopt", "RFC2253", "-dateopt", "iso_8601")
_TIME = "%Y-%m-%d %H:%M:%SZ"


class Certificate(NamedTuple):
    """`public_key` is in PEM; the times are in UTC."""

    subject: str
    issuer: str
    begins: datetime
    ends: datetime
    public_key: str


def certificate(pem: str) -> Certificate | None:
    """None when `pem` is no certificate. Errors: PluginError when there is no openssl."""
    words = ["x509", "-noout", "-subject", "-issuer", "-startdate", "-enddate", "-pubkey", *_FORM]
    text = _ask(words, Secret(pem))
    if text is None:
        return None
    head, _, key = text.partition("-----BEGIN PUBLIC KEY-----")
    said = dict(line.partition("=")[::2] for line in (head + key.partition("KEY-----")[2]).splitlines())
    return Certificate(
        said["subject"],
        said["issuer"],
        _time(said["notBefore"]),
        _time(said["notAfter"]),
        "".join(key.partition("-----END")[0].split()),
    )


def public_key(key: Secret) -> str | None:
    """The public half of a private key, without its PEM frame; None for what is no key, or a locked one."""
    text = _ask(["pkey", "-pubout", "-passin", "pass:"], key)
    if text is None:
        return None
    return "".join(text.partition("KEY-----")[2].partition("-----END")[0].split())


def _ask(words: list[str], text: Secret) -> str | None:
    argv = ["openssl", *words]
    try:
        done = run(argv, stdin=text.reveal().encode("utf-8", "surrogateescape"), timeout=10, sensitive=True)
    except CommandError as error:
        if error.code == 127:
            raise PluginError(
                "openssl is missing. Install it, as root, with: apt-get install openssl"
            ) from None
        return None
    return done.stdout.decode("utf-8", "replace")


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)
