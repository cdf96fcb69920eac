"""certs: the certificates that administrators bring."""

import os
import sys

from .. import apps, args, host, log, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail
from . import ports

DESCRIPTION = "dokku core certs plugin"
FILES = {"crt": "server.crt", "key": "server.key"}


def _path(app: str, kind: str) -> str:
    return host.root(app, "tls", FILES[kind])


def _from_archive() -> dict[str, str]:
    """server.crt and server.key out of the tar on stdin, in whatever directory of it."""
    import tarfile

    found = {}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|*") as archive:
        for member in archive:
            kind = os.path.splitext(member.name)[1][1:]
            file = archive.extractfile(member) if member.isfile() and kind in FILES else None
            if file:
                found[kind] = file.read().decode()
    return found


def _store(app: str, pair: dict[str, str]) -> None:
    if sorted(pair) != sorted(FILES) or not all(pair.values()):
        raise Fail("CRT file specified not found, please check file paths")
    host.make_directory(host.root(app, "tls"), 0o750)
    for kind, text in pair.items():
        host.write(_path(app, kind), text, 0o640)


def add(words: list[str]) -> None:
    """<app> <crt> <key>, or a tar of both on stdin."""
    parsed = args.parse(words)
    app = apps.verify(parsed.word(0))
    paths = parsed.words[1:]
    pair = dict(zip(FILES, map(host.read, paths), strict=False)) if paths else _from_archive()
    _store(app, pair)
    triggers.must_fire("post-certs-update", app)
    triggers.must_fire("post-domains-update", app)


def update(words: list[str]) -> None:
    app = apps.verify(args.parse(words).word(0))
    if not ports.has_certificate(app):
        raise Fail("An app-specific SSL endpoint is not defined")
    add(words)


def remove(words: list[str]) -> None:
    app = apps.verify(args.parse(words).word(0))
    if not ports.has_certificate(app):
        raise Fail("An app-specific SSL endpoint is not defined")
    host.remove(host.root(app, "tls"))
    triggers.must_fire("post-certs-remove", app)
    triggers.must_fire("post-domains-update", app)


def certs_exists(words: list[str]) -> None:
    log.line("true" if ports.has_certificate(words[0]) else "false")


def certs_get(words: list[str]) -> int:
    app, kind = words[:2]
    if kind not in FILES or not ports.has_certificate(app):
        return 1
    sys.stdout.write(host.read(_path(app, kind)))
    return 0


def certs_force(words: list[str]) -> None:
    """Says true when the administrator wants HTTPS ports without a certificate on this host."""
    from . import config

    if config.merged(words[0]).get("DOKKU_PROXY_FORCE_SSL") == "true":
        log.line("true")


def clone(words: list[str]) -> int:
    """A clone does not share the certificate."""
    host.remove(host.root(words[1], "tls"))
    return triggers.fire("post-certs-remove", words[1])


def rename(words: list[str]) -> None:
    old, new = words
    if ports.has_certificate(old):
        _store(new, {kind: host.read(_path(old, kind)) for kind in FILES})


def facts(app: str) -> report.Facts:
    return {
        "dir": host.root(app, "tls"),
        "enabled": "true" if ports.has_certificate(app) else "false",
    }


show = report.command("ssl", facts)

TRIGGERS: Triggers = {
    "certs-exists": certs_exists,
    "certs-force": certs_force,
    "certs-get": certs_get,
    "post-app-clone-setup": clone,
    "post-app-rename-setup": rename,
    "report": lambda words: show(words[:1]),
}
COMMANDS: Commands = {
    "": (show, "[<app>] [<flag>], Show the certificates of apps"),
    "add": (add, "<app> [<crt> <key>], Give an app a certificate"),
    "remove": (remove, "<app>, Take an app's certificate away"),
    "report": (show, "[<app>] [<flag>], Show the certificates of apps"),
    "update": (update, "<app> [<crt> <key>], Replace an app's certificate"),
}
