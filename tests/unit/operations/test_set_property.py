"""`scheduler-k3s:set`: what is stored, what is said, in which order things are refused."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations.set_property import set_property
from scheduler_k3s.settings import SETTINGS
from unit.dokku_host import Host

DEPRECATED = (
    " !     scheduler-k3s:set chart.* properties are deprecated; "
    "use scheduler-k3s:charts:set <chart>.<property> instead\n"
)


def refusal(scope: str, name: str, value: str) -> PluginError:
    with pytest.raises(PluginError) as raised:
        set_property(scope, name, value)
    return raised.value


def test_a_value_is_stored_as_it_is_in_a_private_file(
    dokku: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    dokku.app("web")
    set_property("web", "namespace", "team-a")
    path = dokku.config / "web/namespace"
    assert path.read_bytes() == b"team-a"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert capsys.readouterr().out == "=====> Setting namespace to team-a\n"


def test_an_empty_value_removes_the_file_whether_it_is_there_or_not(
    dokku: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    path = dokku.store("--global", "namespace", "x")
    for _ in range(2):
        set_property("--global", "namespace", "")
        assert not path.exists()
    assert capsys.readouterr().out == "=====> Unsetting namespace\n" * 2


def test_the_normalised_value_is_stored_and_shown(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    set_property("--global", "cert-issuer-kind", "clusterissuer")
    assert (dokku.config / "--global/cert-issuer-kind").read_text() == "ClusterIssuer"
    assert "to ClusterIssuer\n" in capsys.readouterr().out


def test_the_token_is_never_shown(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    set_property("--global", "token", "canary")
    assert (dokku.config / "--global/token").read_text() == "canary"
    assert capsys.readouterr().out == "=====> Setting token to *******\n"
    assert "canary" not in refusal("--global", "token", "canary canary").message


def test_the_order_of_the_refusals(dokku: Host) -> None:
    dokku.app("web")
    assert refusal("nope", "cert-issuer-kind", "X").message.startswith("Invalid cert-issuer-kind: X")
    assert refusal("nope", "letsencrypt-server", "X").message.startswith("Invalid letsencrypt-server: X")
    assert refusal("nope", "cert-issuer-name", "X").message.startswith("Invalid cert-issuer-name: X")
    assert refusal("nope", "namespace", "X").message == "App nope does not exist"
    assert refusal("nope", "namespace", "X").exit_code == 20
    assert refusal("", "", "").message == "Please specify an app to run the command on"
    assert refusal("../x", "namespace", "x").message.startswith(
        "App name must begin with lowercase alphanumeric"
    )
    assert refusal("--global", "", "").message == "Property cannot be specified globally"
    assert refusal("--global", "nonsense", "x").message == "Property cannot be specified globally"
    assert refusal("web", "", "").message == "No property specified"
    names = ", ".join(sorted(SETTINGS))
    assert (
        refusal("web", "nonsense", "x").message
        == f"Invalid property specified, valid properties include: {names}"
    )


def test_a_global_property_of_an_app_can_only_be_cleared(dokku: Host) -> None:
    dokku.app("web")
    path = dokku.store("web", "ingress-class", "traefik")
    assert (
        "dokku scheduler-k3s:set --global ingress-class" in refusal("web", "ingress-class", "nginx").message
    )
    set_property("web", "ingress-class", "")
    assert not path.exists()


def test_a_refused_value_leaves_the_old_one(dokku: Host) -> None:
    path = dokku.store("--global", "deploy-timeout", "60s")
    refusal("--global", "deploy-timeout", "soon")
    assert path.read_text() == "60s"


def test_the_old_spelling_of_chart_values(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    set_property("--global", "chart.traefik.a.b/c", "x\ny")
    assert (dokku.config / "--global/chart-overrides.traefik").read_text() == '{"a.b/c":"x\\ny"}'
    said = capsys.readouterr()
    assert said.out == "=====> Setting chart.traefik.a.b/c to x\ny\n"
    assert said.err == DEPRECATED
    assert (said.out + said.err).count("deprecated") == 1
    for _ in range(2):
        set_property("--global", "chart.traefik.a.b/c", "")
        assert (dokku.config / "--global/chart-overrides.traefik").read_text() == "{}"
    assert capsys.readouterr().out == "=====> Unsetting chart.traefik.a.b/c\n" * 2


@pytest.mark.parametrize(
    ("scope", "name", "message"),
    [
        ("web", "chart.traefik.a", "Chart properties can only be set globally"),
        (
            "--global",
            "chart.traefik",
            "Invalid chart property, expected format: chart.$CHART_NAME.$PROPERTY: chart.traefik",
        ),
        (
            "--global",
            "chart.traefik.",
            "Invalid chart property, expected format: chart.$CHART_NAME.$PROPERTY: chart.traefik.",
        ),
        ("--global", "chart..a", "Invalid chart property, missing chart name"),
        ("--global", "chart.nope.a", "Invalid chart property, no matching chart found: chart.nope.a"),
    ],
)
def test_refused_chart_values(
    dokku: Host, scope: str, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal(scope, name, "x").message == message
    assert capsys.readouterr().err == DEPRECATED


@given(key=st.text(min_size=1).filter(lambda text: "\0" not in text), value=st.text(min_size=1))
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_chart_values_survive_whatever_they_hold(dokku: Host, key: str, value: str) -> None:
    from scheduler_k3s import charts

    charts.override("vector", key, value)
    assert charts.overrides("vector")[key] == value
    charts.override("vector", key, "")
    assert key not in charts.overrides("vector")
