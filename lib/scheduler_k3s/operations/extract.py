"""core-post-extract: looks at an app's source before its image is built, while a refusal costs nothing."""

from scheduler_k3s.dokku import apps


def extract(app: str, tree: str) -> None:
    """For apps of other schedulers, nothing. Errors: PluginError; dokku ends the build."""
    apps.check_name(app)
    if not apps.is_ours(app):
        return
    from scheduler_k3s import app_json_schema, log
    from scheduler_k3s.dokku import facts
    from scheduler_k3s.operations import certificates, kustomization

    # dokku's app-json plugin has been here before, and has taken the file from the tree or the image
    app_json_schema.check(facts.app_json(app))
    kustomization.extract(app, tree)
    for text in certificates.operator_issuer_warnings(app):
        log.warn(text)
