"""What Kubernetes and helm would refuse is refused before; what they accept is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import names
from scheduler_k3s.errors import PluginError

# the rules as Kubernetes 1.34 and helm 4 state them
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

APPS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,70}", fullmatch=True)
TYPES = st.from_regex(r"[A-Za-z0-9_-]{0,70}", fullmatch=True)


def accepted(check: object, *arguments: object) -> bool:
    assert callable(check)
    try:
        check(*arguments)
    except PluginError:
        return False
    return True


@pytest.mark.parametrize("app", ["app", "on", "1", "007", "a-b", "configfoo", "my-config-foo", "a" * 46])
def test_legal_apps(app: str) -> None:
    names.check_app(app)


@pytest.mark.parametrize(
    ("app", "told"),
    [
        ("a.b", "letters, digits and '-'"),
        ("a_b", "letters, digits and '-'"),
        ("", "letters, digits and '-'"),
        ("a-", "end with a letter or digit"),
        ("--help", "begin and end"),
        ("../x", "begin and end"),
        ("$(id)", "letters, digits and '-'"),
        ("a" * 47, "config-<app> allows 46 (53 in all)"),
        ("a" * 64, "config-<app> allows 46 (53 in all)"),
        ("config-foo", "config of app foo"),
        ("pull-secret-foo", "pull-secret of app foo"),
        ("tls-foo", "tls of app foo"),
        ("storage-x", "storage of storage entry x"),
    ],
)
def test_apps_that_are_refused(app: str, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        names.check_app(app)
    assert told in caught.value.message
    assert "dokku apps:rename" in caught.value.message


def test_a_managed_pull_secret_shortens_the_app() -> None:
    names.check_app("a" * 41, pull_secret=True)
    names.check_app("a" * 42)
    with pytest.raises(PluginError, match=r"pull-secret-<app> allows 41 \(53 in all\)"):
        names.check_app("a" * 42, pull_secret=True)


def test_cron_tasks_shorten_the_app() -> None:
    names.check_cron("a" * 36)
    with pytest.raises(PluginError, match=r"<app>-cron-<id> allows 36 \(52 in all\)"):
        names.check_cron("a" * 37)


@given(APPS, st.booleans())
def test_accepted_apps_make_legal_names(app: str, pull_secret: bool) -> None:
    if not accepted(names.check_app, app, pull_secret):
        return
    releases = [app, f"config-{app}", f"tls-{app}"] + [f"pull-secret-{app}"] * pull_secret
    assert all(SUBDOMAIN.fullmatch(release) and len(release) <= 53 for release in releases)
    assert all(LABEL.fullmatch(f"{app}-{kind}") for kind in ("run", "cron", "run-0123456789"))
    if accepted(names.check_cron, app):
        assert len(f"{app}-cron-0123456789") <= 52


@given(APPS, TYPES)
def test_accepted_processes_make_legal_names(app: str, process_type: str) -> None:
    if not accepted(names.check_app, app) or not accepted(names.check_process, app, process_type):
        return
    assert LABEL.fullmatch(f"{app}-{process_type}")
    assert LABEL.fullmatch(process_type)
    is_service = SERVICE.fullmatch(f"{app}-{process_type}") is not None
    assert accepted(names.check_service, app, process_type) == is_service


@given(
    st.from_regex(r"[a-z][a-z0-9]{0,45}", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9-]{0,40}[a-z0-9]", fullmatch=True),
)
def test_every_legal_process_is_accepted(app: str, process_type: str) -> None:
    assert accepted(names.check_process, app, process_type) == (len(f"{app}-{process_type}") <= 63)


@pytest.mark.parametrize(
    ("process_type", "told"),
    [
        ("my_worker", "Rename it in the Procfile, for example to my-worker"),
        ("Web", "Rename it in the Procfile, for example to web"),
        ("", "Rename it in the Procfile"),
        ("-x", "begin and end with a letter or digit"),
        ("a" * 60, "has 64 characters, Kubernetes allows 63"),
    ],
)
def test_process_types_that_are_refused(process_type: str, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        names.check_process("app", process_type)
    assert told in caught.value.message


def test_a_service_begins_with_a_letter() -> None:
    names.check_process("1app", "worker")
    with pytest.raises(PluginError, match=r"1app-web, .* begin with a letter"):
        names.check_service("1app", "web")


@pytest.mark.parametrize(
    ("ports", "refused"),
    [
        (["http-80-5000", "https-443-5000"], ""),
        (["http-8080-10000"], ""),
        (["http-10000-10000"], "http:10000:10000"),
        (["http-80-10000", "https-8443-10000"], ""),
        (["http-80-5000", "https-8443-10000"], "https:8443:10000"),
    ],
)
def test_port_names(ports: list[str], refused: str) -> None:
    if not refused:
        names.check_ports("app", ports)
        return
    with pytest.raises(PluginError, match=f"Port {refused} .*16 characters .*allows 15"):
        names.check_ports("app", ports)


@pytest.mark.parametrize(
    ("app", "process_type", "others", "other"),
    [
        ("a", "b-web", {"a-b": ["web"]}, "a-b"),
        ("a-b", "web", {"a": ["web", "b-web"]}, "a"),
        ("a-b", "web", {"a": ["web"]}, None),
        ("a", "web", {"a": ["web"], "b": ["web"]}, None),
        ("a", "b-web", {"a-b": ["worker"]}, None),
        ("ab", "web", {"a": ["web"]}, None),
        ("a", "web", {"a-web": ["web"]}, None),
    ],
)
def test_ambiguous(app: str, process_type: str, others: dict[str, list[str]], other: str | None) -> None:
    found = names.ambiguous(app, process_type, others)
    assert (found[0] if found else None) == other


PARTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("-".join)


@given(PARTS, PARTS, PARTS, PARTS)
def test_two_processes_with_one_name_are_ambiguous(app: str, type_: str, other: str, other_type: str) -> None:
    same = f"{app}-{type_}" == f"{other}-{other_type}" and app != other
    found = names.ambiguous(app, type_, {other: [other_type]})
    assert (found is not None) == same
    if found:
        assert (
            f"{app}-{type_}" in found[1]
            and f"{type_} of {app}" in found[1]
            and f"{other_type} of {other}" in found[1]
        )


@pytest.mark.parametrize(
    ("domain", "slug"),
    [
        ("a.example.com", "a-example-com"),
        ("*.example.com", "wildcard-example-com"),
        ("A.Example.COM", "a-example-com"),
        ("münchen.de", "munchen-de"),
        ("MÜNCHEN.de", "munchen-de"),
        ("straße.de", "strasse-de"),
        ("a_b.example.com", "a_b-example-com"),
        ("example.com.", "example-com"),
        ("-a..b-", "a-b"),
        ("xn--mnchen-3ya.de", "xn-mnchen-3ya-de"),
        ("例え.jp", "jp"),
        ("рф", ""),
    ],
)
def test_slug(domain: str, slug: str) -> None:
    assert names.slug(domain) == slug


def test_ingress_names_of_domains_with_one_slug() -> None:
    first = names.ingress_name("app", "web", "a-b.com", set())
    assert first == "app-web-a-b-com"
    # printf a.b.com | sha256sum
    assert names.ingress_name("app", "web", "a.b.com", {first}) == "app-web-a-b-com-28ae694a"


DOMAINS = st.lists(
    st.text("ab.-_ü*例A", min_size=1, max_size=8) | st.text("a.", min_size=200, max_size=250), unique=True
)


@given(DOMAINS)
def test_every_domain_gets_its_own_legal_ingress_name(domains: list[str]) -> None:
    taken: set[str] = set()
    for domain in sorted(domains):
        name = names.ingress_name("app", "web", domain, taken)
        assert SUBDOMAIN.fullmatch(name) and len(name) <= 253
        assert name not in taken
        assert name == names.ingress_name("app", "web", domain, set(taken))
        taken.add(name)


def test_names_of_releases_are_cut_and_lowered_without_becoming_the_same() -> None:
    assert names.release("a" * 53) == "a" * 53
    cut = [names.release("a" * 53 + letter) for letter in "xyX"]
    lowered = [names.release("edge-A"), names.release("Edge-a"), names.release("edge-a")]
    assert len({*cut, *lowered}) == 6
    for name in cut + lowered:
        assert len(name) <= 53
        assert name == name.lower()
