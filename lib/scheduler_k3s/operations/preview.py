"""scheduler-k3s:preview: what a deploy would change now. Writes nothing to the cluster.

The objects are made as a deploy makes them and checked by the API server in a dry run; every process keeps its
deployment id, so that only real changes show.
"""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from scheduler_k3s import assemble, difference, log
from scheduler_k3s.app import Image
from scheduler_k3s.difference import ADDED, REMOVED, Change, Masking
from scheduler_k3s.dokku import apps
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import auxiliary, certificates, moves, plan, target
from scheduler_k3s.operations.plan import Gathered, Ids, Options, Plan
from scheduler_k3s.tools import private, release, resources
from scheduler_k3s.tools.cluster import Cluster, Object

CHANGES_FOUND = 4
_COLORS = {REMOVED: "31", ADDED: "32"}
_LINE_COLORS = {"-": "31", "+": "32"}


class View(NamedTuple):
    """How to show it. `all_releases` compares the config, pull-secret and TLS releases too."""

    context: int
    mask: Masking
    all_releases: bool
    exit_code: bool
    layout: str


def preview(app: str, view: View) -> int:
    """Print the changes. The exit code is 0, or 4 for changes when that was asked for. Errors: PluginError."""
    if view.layout not in ("stdout", "json"):
        raise PluginError(f"Invalid format: {view.layout}")
    apps.verify(app)
    if not apps.is_ours(app):
        raise PluginError(f"App {app} is not configured to use the k3s scheduler")
    private.load_packages()
    for text in certificates.operator_issuer_warnings(app):
        log.warn(text)
    options, cluster = Options.of(app), target.cluster()
    for text in moves.announced(app, options.namespace):
        log.warn(text)
    planned = _planned(app, plan.gather(app, options.namespace, cluster), cluster, options)
    before, after = _compared(planned, cluster, view.all_releases)
    found = difference.changes(before, after, options.namespace, context=view.context, mask=view.mask)
    show = _print_json if view.layout == "json" else _print
    show(found)
    return CHANGES_FOUND if found and view.exit_code else 0


def _planned(app: str, gathered: Gathered, cluster: Cluster, options: Options) -> Plan:
    newest = gathered.before.newest
    held = newest.chart_version.rpartition(".")[2] if newest else "0"
    planned = plan.make(gathered, cluster, options, _image(gathered), Ids(held, held=True))
    if gathered.before.namespace_exists:
        return plan.checked(planned, cluster)
    log.warn(
        f"Namespace {options.namespace} does not exist yet: the objects of {app} were not checked by the cluster"
    )
    return planned


def _image(gathered: Gathered) -> Image:
    """An app that was never built has an image all the same, so that the rest of it can be seen."""
    known, newest = gathered.known, gathered.before.newest
    if known.inspected is None and (newest is None or not newest.value("global.image.type")):
        return Image(f"dokku/{known.app}:not-yet-deployed")
    return assemble.image(known, "", newest)


def _compared(planned: Plan, cluster: Cluster, all_releases: bool) -> tuple[list[Object], list[Object]]:
    newest = planned.gathered.before.newest
    before = list(resources.manifest_objects(newest.manifest if newest else ""))
    after = list(planned.objects)
    if all_releases:
        known = planned.gathered.known
        wanted = auxiliary.secrets(planned.app, known.docker_config)
        for name in ("config", "pull-secret", "tls"):
            revision = release.newest(cluster, planned.app.namespace, f"{name}-{known.app}")
            before += resources.manifest_objects(revision.manifest if revision else "")
        after += wanted.values()
        if certificate := planned.gathered.imported.item:
            after.append(certificate)
    return before, after


def _print(found: Sequence[Change]) -> None:
    colored = sys.stdout.isatty()
    for change in found:
        print(_painted(change.title, _COLORS.get(change.kind, "33"), colored))
        for line in change.lines:
            print(_painted(str(line), _LINE_COLORS.get(line.sign, ""), colored))


def _painted(text: str, color: str, colored: bool) -> str:
    return f"\033[0;{color}m{text}\033[0m" if colored and color else text


def _print_json(found: Sequence[Change]) -> None:
    import json

    entries = [
        {"object": change.identity, "change": change.kind, "lines": [str(line) for line in change.lines]}
        for change in found
    ]
    print(json.dumps(entries, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
