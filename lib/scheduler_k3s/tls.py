"""Where the certificate of an app's domains comes from: imported, an operator's issuer, letsencrypt, or nowhere."""

from collections.abc import Mapping

from scheduler_k3s.app import Tls

_SERVERS = {"prod": "prod", "production": "prod", "stag": "stag", "staging": "stag"}


def decide(
    app: str,
    settings: Mapping[str, str],
    *,
    own_emails: Mapping[str, str],
    imported: bool,
) -> Tls:
    """`settings` are the computed properties of certificates; `own_emails`, by property, those of the app itself.

    An imported certificate wins over all; `letsencrypt-server` false turns issuing off, an operator's issuer
    included. An app with an address of its own gets an issuer of its own.
    """
    if imported:
        return Tls(secret=f"tls-{app}")
    chosen = settings["letsencrypt-server"]
    if chosen == "false":
        return Tls()
    secret = f"tls-{app}-web"
    name = settings["cert-issuer-name"]
    if name and name != "false":
        return Tls(secret, settings["cert-issuer-kind"], name)
    server = _SERVERS[chosen]
    if not settings[f"letsencrypt-email-{server}"]:
        return Tls()
    if email := own_emails.get(f"letsencrypt-email-{server}"):
        return Tls(secret, "Issuer", f"{app}-letsencrypt-{server}", server, email)
    return Tls(secret, "ClusterIssuer", f"letsencrypt-{server}")
