"""Which texts a property takes, one function per kind: the text as it is stored, or ValueError with the rule.

A rule reads on after "Invalid <property>: <value>, " and ends with an example.
"""

from scheduler_k3s import values
from scheduler_k3s.errors import PluginError
from scheduler_k3s.values import ALNUM, ANY_CASE, DIGITS, consists_of, is_label, is_subdomain

_SIZE_RULE = "must be a size in bytes as Kubernetes writes it, for example 64Mi, 1G or 1.5Gi"
_SIZES = frozenset(("", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))


def duration(text: str) -> str:
    try:
        values.seconds(text)
    except PluginError:
        raise ValueError(values.DURATION_RULE) from None
    return text


def boolean(text: str) -> str:
    if text not in values.TRUE + values.FALSE:
        raise ValueError(values.BOOLEAN_RULE)
    return text


def size(text: str) -> str:
    """A Kubernetes quantity of at least a byte. `512m` is half a byte there, so thousandths are refused."""
    if text[-1:] in ("m", "u", "n"):
        raise ValueError(f"{text[-1]} means a fraction of a byte in Kubernetes, the value {_SIZE_RULE}")
    number, suffix = values.split_number(text.removeprefix("+"))
    exponent = suffix[1:].removeprefix("+") if suffix[:1] in ("e", "E") else ""
    known = suffix in _SIZES or (len(exponent) < 3 and consists_of(exponent, DIGITS))
    if number is None or not known or number < (0.001 if suffix else 1):
        raise ValueError(_SIZE_RULE)
    return text


def label(text: str) -> str:
    if not is_label(text):
        raise ValueError(
            "must be at most 63 lowercase letters, digits and '-', "
            "beginning and ending with a letter or digit, for example team-a"
        )
    return text


def subdomain(text: str) -> str:
    if not is_subdomain(text):
        raise ValueError(
            "must be at most 253 lowercase letters, digits, '-' and '.', "
            "each part beginning and ending with a letter or digit, for example letsencrypt.internal"
        )
    return text


def subdomains(text: str) -> str:
    if not all(is_subdomain(name.strip()) for name in text.split(",")):
        raise ValueError("must be names of Secrets separated by commas, for example registry-a,registry-b")
    return text


def issuer_name(text: str) -> str:
    return text if text == "false" else subdomain(text)


def issuer_kind(text: str) -> str:
    for kind in ("Issuer", "ClusterIssuer"):
        if text.lower() == kind.lower():
            return kind
    raise ValueError("valid values are Issuer and ClusterIssuer")


def letsencrypt_server(text: str) -> str:
    if text not in ("prod", "production", "stag", "staging", "false"):
        raise ValueError("valid values are prod, production, stag, staging, and false")
    return text


def email(text: str) -> str:
    user, _, domain = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' ()<>[]:;,\\"')
    if not (plain and user and "@" not in user and is_subdomain(domain.lower())):
        raise ValueError("must be one e-mail address, for example admin@example.com")
    return text


def url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    host = rest.split("/", 1)[0]
    if "@" in host:
        raise ValueError("must not hold a user or password, which every report would show")
    begins = scheme in ("http", "https") and host[:1] in ANY_CASE | {"["}
    if not begins or not _visible(text) or set(text) & set("?#\"'\\`$"):
        raise ValueError("must be an http or https URL, for example https://mirror.example.com/files")
    return text


def absolute_path(text: str) -> str:
    if not text.startswith("/") or not text.isprintable():
        raise ValueError("must be an absolute path, for example /etc/rancher/k3s/k3s.yaml")
    return text


def source_path(text: str) -> str:
    """A directory of the app's source. It is joined to a path of ours and must not lead out of there."""
    if text.startswith("/") or ".." in text.split("/") or not text.isprintable():
        raise ValueError("must be a directory inside the app's source, for example config/kustomize")
    return text


def interface(text: str) -> str:
    if len(text) > 15 or set(text) & set("/:") or text in (".", "..") or not _visible(text):
        raise ValueError("must be the name of a network interface, for example eth0")
    return text


def image(text: str) -> str:
    name = text.split("@", 1)[0].rsplit("/", 1)[-1].split(":", 1)[0]
    begins = text[:1] in ANY_CASE and name[:1] in ALNUM and consists_of(name, ALNUM | set("._-"))
    if not begins or not consists_of(text, ANY_CASE | set("._-/:@")):
        raise ValueError("must be an image reference, for example busybox:1.36")
    return text


def k3s_version(text: str) -> str:
    numbers = text.removeprefix("v").split("+", 1)[0].split("-", 1)[0].split(".")
    release = len(numbers) == 3 and all(consists_of(part, DIGITS) for part in numbers)
    if not text.startswith("v") or not release or not consists_of(text, ANY_CASE | set(".+-")):
        raise ValueError("must be a k3s release, for example v1.34.4+k3s1")
    return text


def context(text: str) -> str:
    if text.startswith("-") or not text.isprintable():
        raise ValueError("must be the name of a context in the kubeconfig, for example production")
    return text


def token(text: str) -> str:
    if not (text.isascii() and _visible(text)):
        raise ValueError("it must be printable ASCII without blanks, for example 3f9c0d81aa")
    return text


def charts(text: str) -> str:
    from scheduler_k3s.charts import NAMES

    for name in text.split(","):
        if name.strip() not in NAMES:
            known = ", ".join(NAMES)
            raise ValueError(f"must be charts out of {known}, separated by commas, for example longhorn,keda")
    return text


def _visible(text: str) -> bool:
    return bool(text) and text.isprintable() and " " not in text
