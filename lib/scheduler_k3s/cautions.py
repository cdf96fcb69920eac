"""What dokku knows of an app and a deploy cannot bring to Kubernetes, or will stumble over. Pure."""

from scheduler_k3s import app_json_schema, decorations, docker_options, storage
from scheduler_k3s.dokku.facts import Facts
from scheduler_k3s.manifests.metadata import ALL_PROCESSES


def cautions(facts: Facts) -> list[str]:
    """One line each, with the command that mends it."""
    told = []
    if not facts.names_registry:
        told.append(
            f"No registry server is set for {facts.app}: the cluster pulls {facts.repository}{facts.image_repo} from "
            f"Docker Hub. Set one with: dokku registry:set --global server SERVER (docker.io, if that is meant)"
        )
    if facts.host_proxy:
        told.append(
            f"The proxy type of {facts.app} is nginx: after each deploy dokku builds a site for it on this host, "
            "where no process of it listens, and a deploy fails when that fails. The cluster's proxy is used with: "
            f"dokku proxy:set {facts.app if facts.host_proxy_own else '--global'} k3s"
        )
    told += [_left_out(*each) for each in facts.reserved]
    for type_, lines in sorted(facts.docker_options.items()):
        told += docker_options.warnings(facts.app, lines, type_)
    return told + storage.warnings(facts.app, facts.mounts) + app_json_schema.warnings(facts.app_json)


def _left_out(scope: str, prefix: str, where: str, key: str) -> str:
    process, _, resource = where.rpartition(".")
    own = "" if process == ALL_PROCESSES else f" --process-type {process}"
    return (
        f"The {decorations.noun(prefix)} {key} of {resource} has no effect: it "
        f"{decorations.reserved(key, prefix, resource)}. Remove it with: dokku scheduler-k3s:"
        f"{decorations.noun(prefix)}s:set {scope} {key} --resource-type {resource}{own}"
    )
