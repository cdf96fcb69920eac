"""Which system charts are installed, and at which version: the rules in their order."""

import dataclasses

import pytest
from scheduler_k3s.chart_decisions import Decision, Installed, Wishes, decide
from scheduler_k3s.charts import CHARTS
from scheduler_k3s.errors import PluginError

BY_NAME = {chart.name: chart for chart in CHARTS}
NOTHING = Wishes((), False, "nginx", (), False)
ALL = dataclasses.replace(NOTHING, force=True)
DEPLOYED = "deployed"


def wishes(*names: str, force: bool = False, external: bool = False) -> Wishes:
    return dataclasses.replace(NOTHING, names=names, force=force, is_external=external)


def keda(wished: Wishes, version: str = "", status: str = DEPLOYED, problem: str = "") -> Decision:
    return decide(BY_NAME["keda"], wished, Installed(version, status if version else "", problem))


@pytest.mark.parametrize("wished", [NOTHING, ALL, wishes("traefik", force=True)])
def test_the_other_ingress_controller_is_never_installed(wished: Wishes) -> None:
    said = Decision("Skipping chart due to ingress-class mismatch")
    assert decide(BY_NAME["traefik"], wished, Installed()) == said
    other = dataclasses.replace(wished, ingress_class="traefik")
    assert decide(BY_NAME["ingress-nginx"], other, Installed()) == said
    assert decide(BY_NAME["traefik"], other, Installed()).version == "26.0.0"


def test_another_ingress_class_gets_both_controllers() -> None:
    wished = dataclasses.replace(NOTHING, ingress_class="haproxy")
    assert [decide(BY_NAME[name], wished, Installed()).version for name in ("traefik", "ingress-nginx")] == [
        "26.0.0",
        "4.15.1",
    ]


def test_disabled_charts_are_left_out_unless_named() -> None:
    disabled = dataclasses.replace(NOTHING, disabled=("keda",))
    assert keda(disabled) == Decision("Skipping chart: disabled")
    assert keda(dataclasses.replace(disabled, force=True)) == Decision("Skipping chart: disabled")
    named = dataclasses.replace(disabled, names=("keda",))
    assert keda(named) == Decision("Force installing chart due to flag", "2.19.0")


@pytest.mark.parametrize("version", ["", "2.13.1", "2.19.0"])
def test_forcing_installs_the_pinned_version(version: str) -> None:
    assert keda(ALL, version) == Decision("Force installing chart", "2.19.0")
    assert keda(wishes("keda"), version) == Decision("Force installing chart due to flag", "2.19.0")
    assert keda(wishes("keda", force=True), version) == Decision("Force installing chart", "2.19.0")


def test_naming_one_chart_leaves_the_others_to_the_rules() -> None:
    assert keda(wishes("vector"), "2.19.0") == Decision("Skipping chart: already installed")


@pytest.mark.parametrize(
    ("version", "status", "decision"),
    [
        ("", "", Decision("Installing missing chart", "2.19.0")),
        ("2.19.0", DEPLOYED, Decision("Skipping chart: already installed")),
        ("v2.19.0+build", DEPLOYED, Decision("Skipping chart: already installed")),
        ("2.19.0", "superseded", Decision("Skipping chart: already installed")),
        (
            "2.9.3",
            DEPLOYED,
            Decision("Installing chart due to version mismatch: 2.9.3 != 2.19.0", "2.19.0"),
        ),
        (
            "2.20.0",
            DEPLOYED,
            Decision("keda 2.20.0 is newer than 2.19.0, left alone", is_warning=True),
        ),
    ],
)
def test_without_flags_versions_decide(version: str, status: str, decision: Decision) -> None:
    assert keda(NOTHING, version, status) == decision


@pytest.mark.parametrize("version", ["2.13.1", "2.19.0"])
@pytest.mark.parametrize(
    "status",
    ["failed", "pending-install", "pending-upgrade", "pending-rollback", "uninstalling", "uninstalled"],
)
def test_what_was_not_finished_is_done_again(status: str, version: str) -> None:
    assert keda(NOTHING, version, status) == Decision("Installing missing chart", "2.19.0")


def test_an_unfinished_newer_version_is_not_repaired_by_going_back() -> None:
    decision = keda(NOTHING, "2.20.0", "failed")
    assert (decision.line, decision.version) == ("Installing missing chart", "2.20.0")


@pytest.mark.parametrize("wished", [ALL, wishes("keda")])
def test_one_flag_alone_applies_the_values_at_the_newer_version(wished: Wishes) -> None:
    decision = keda(wished, "2.20.0")
    assert (decision.version, decision.note) == (
        "2.20.0",
        "Keeping version 2.20.0, which is newer than 2.19.0",
    )


def test_both_flags_go_back_but_never_with_longhorn() -> None:
    both = wishes("keda", "longhorn", force=True)
    decision = keda(both, "2.20.0")
    assert (decision.version, decision.note) == ("2.19.0", "Going back from 2.20.0 to 2.19.0")
    decision = decide(BY_NAME["longhorn"], both, Installed("1.6.0", DEPLOYED))
    assert decision.version == "1.6.0"
    assert "never goes back" in decision.note
    assert keda(wishes("vector", force=True), "2.20.0").version == "2.20.0"


@pytest.mark.parametrize(("version", "problem"), [("", "the server is down"), ("latest", "")])
def test_what_cannot_be_read_is_skipped_or_when_forced_refused(version: str, problem: str) -> None:
    reason = problem or "'latest' is not a version, such as 1.2.3"
    said = f"Unable to get installed revision: {reason}"
    assert keda(NOTHING, version, DEPLOYED, problem) == Decision(said, is_warning=True)
    for wished in (ALL, wishes("keda"), wishes("keda", force=True)):
        with pytest.raises(PluginError, match=reason):
            keda(wished, version, DEPLOYED, problem)


def test_an_external_cluster_gets_what_is_named_or_with_force_all() -> None:
    assert not keda(wishes(external=True)).version
    assert "external cluster" in keda(wishes(external=True), "2.13.1").line
    assert keda(wishes("keda", external=True)).version == "2.19.0"
    assert not keda(wishes("vector", external=True)).version
    assert keda(wishes(force=True, external=True)).version == "2.19.0"
