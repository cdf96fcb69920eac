"""The certificate that an administrator gave an app with certs:add: dokku's files -> Secret `tls-<app>`.

It is a release of its own, and lives where the app does: a deploy brings it there, so that it follows the app to
another name, namespace or cluster.
"""

import os
from datetime import datetime, timezone
from functools import partial
from typing import NamedTuple

from scheduler_k3s import certificate_check
from scheduler_k3s.dokku import host, properties, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import secret
from scheduler_k3s.operations import auxiliary
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools import openssl, release, resources
from scheduler_k3s.tools.cluster import Cluster, Object, name
from scheduler_k3s.tools.release import Release
from scheduler_k3s.tools.revisions import revisions_of

PROPERTY = "tls-cert-imported"
REMOVED = "removed"
"""Instead of `true`: dokku has no certificate any more, but the cluster still has."""


class Pair(NamedTuple):
    crt: str
    key: Secret


class Imported(NamedTuple):
    """`usable`: routes can name the Secret. `item` is the Secret as it has to be, `outdated` whether the cluster
    has another one, `revision` the newest of its release."""

    usable: bool = False
    item: Object | None = None
    outdated: bool = False
    revision: Release | None = None
    told: tuple[str, ...] = ()


NONE = Imported()


def release_name(app: str) -> str:
    return f"tls-{app}"


def pair(app: str) -> Pair | None:
    """What dokku's certs plugin keeps of the app; it is asked only when there is something."""
    if not os.path.isfile(f"{host.root()}/{app}/tls/server.crt"):
        return None
    if triggers.ask("certs-exists", app).strip() != "true":
        return None
    crt, key = triggers.together([partial(triggers.ask, "certs-get", app, part) for part in ("crt", "key")])
    return Pair(crt, Secret(key))


def check(app: str, found: Pair) -> list[str]:
    """Errors: PluginError for a pair that cannot serve. Returns what the user should know of one that can."""
    chain = [openssl.certificate(text) for text in certificate_check.blocks(found.crt)]
    key = found.key.reveal()
    public_key = None if certificate_check.is_encrypted(key) else openssl.public_key(found.key)
    try:
        told = certificate_check.check(chain, key, public_key, datetime.now(timezone.utc))
    except PluginError as error:
        raise PluginError(f"The certificate of {app} cannot be used: {error.message}") from None
    return [f"The certificate of {app}: {text}" for text in told]


def read(cluster: Cluster, app: str, namespace: str) -> Imported:
    """What dokku has and what the cluster has. A pair that cannot serve does not take the place of one that does."""
    found = pair(app)
    if found is None:
        return _without_files(cluster, app, namespace)
    item = secret.certificate(app, namespace, found.crt, found.key.reveal())
    revision = release.newest(cluster, namespace, release_name(app))
    live = cluster.find(f"/api/v1/namespaces/{name(namespace)}/secrets/{name(release_name(app))}")
    if auxiliary.is_current(item, live, revision):
        return Imported(True, item, revision=revision)
    try:
        told = check(app, found)
    except PluginError as error:
        if live is None or revision is None:
            return Imported(told=(f"{error.message}. Give it another one: dokku certs:update {app} CRT KEY",))
        kept = next(iter(resources.manifest_objects(revision.manifest)), None)
        return Imported(
            True, kept, revision=revision, told=(f"{error.message}. The cluster keeps the one it has",)
        )
    return Imported(True, item, True, revision, tuple(told))


def mark(app: str, value: str) -> None:
    """Note what the routes may count on; empty to forget."""
    if properties.read(app, PROPERTY) == value:
        return
    if value:
        properties.write(app, PROPERTY, value)
    else:
        properties.delete(app, PROPERTY)


def _without_files(cluster: Cluster, app: str, namespace: str) -> Imported:
    if properties.read(app, PROPERTY) != "true":
        return Imported()
    if revisions_of(cluster, namespace, release_name(app)):
        return Imported(usable=True)
    return Imported(
        told=(
            f"The certificate imported for {app} is not in namespace {namespace} of the cluster. "
            f"Bring it there with: dokku certs:update {app} CRT KEY",
        )
    )
