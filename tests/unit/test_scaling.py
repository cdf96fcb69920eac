"""What becomes of autoscaling on a cluster that lacks parts of KEDA, and of a stopped app."""

from dataclasses import replace
from typing import Any

import pytest
from scheduler_k3s.app import App, Process
from scheduler_k3s.autoscaling import Autoscaling, HttpScaling, Trigger
from scheduler_k3s.errors import PluginError
from scheduler_k3s.scaling import HTTP_ADD_ON, KEDA, Keda, fitted
from scheduler_k3s.secret import Secret
from unit.models import shop, web, worker
from unit.test_assemble import assembled, facts, refusal

CPU = Trigger("load", "cpu", {})
HTTP = Trigger("requests", "http", {})
RATE = HttpScaling("request_rate", 300, 1, 100, 60, 40)
BOTH = Keda(frozenset({KEDA, HTTP_ADD_ON}))
LOGINS = {"kafka": {"a": Secret("b")}}


def scaled(process: Process, *triggers: Trigger, low: int = 1, high: int = 4) -> Process:
    http = RATE if HTTP in triggers else None
    return replace(process, autoscaling=Autoscaling(low, high, 30, 300, triggers, http))


def of(app: App, type_: str = "web") -> Autoscaling | None:
    process = app.process(type_)
    assert process is not None
    return process.autoscaling


def test_without_autoscaling_nothing_changes() -> None:
    app = shop(web(), worker())
    assert fitted(app, Keda()) is app
    assert fitted(app, BOTH) is app


def test_a_cluster_with_keda_scales() -> None:
    app = fitted(shop(scaled(web(), CPU, HTTP), worker(), keda=Keda(authentications=LOGINS)), BOTH)
    assert of(app) == Autoscaling(1, 4, 30, 300, (CPU, HTTP), RATE)
    assert app.keda == replace(BOTH, authentications=LOGINS)
    assert app.warnings == []


def test_without_keda_the_scale_stays_and_three_lines_say_so() -> None:
    app = fitted(shop(scaled(web(3), CPU), scaled(worker(2), CPU), warnings=["before"]), Keda())
    assert [process.replicas for process in app.processes] == [3, 2]
    assert app.warnings == [
        "before",
        "The cluster does not serve keda.sh/v1alpha1: autoscaling of shop is left out",
        "Its processes stay at their scale: web=3, worker=2",
        "Install KEDA and deploy again: dokku scheduler-k3s:ensure-charts",
    ]


def test_logins_alone_need_keda_too() -> None:
    app = fitted(shop(web(), keda=Keda(authentications=LOGINS)), Keda())
    assert app.keda == Keda()
    assert len(app.warnings) == 3


def test_without_the_add_on_the_http_trigger_is_left_out() -> None:
    core = Keda(frozenset({KEDA}))
    app = fitted(shop(scaled(web(), CPU, HTTP), scaled(worker(2), HTTP)), core)
    assert of(app) == Autoscaling(1, 4, 30, 300, [CPU], None)
    assert of(app, "worker") is None
    assert [told.split(" is left out")[0] for told in app.warnings] == [
        "The http trigger of shop web",
        "The http trigger of shop worker",
    ]


@pytest.mark.parametrize(("low", "expected"), [(0, 1), (1, 1), (3, 3)])
def test_a_stopped_app_starts_with_what_keda_keeps_at_least(low: int, expected: int) -> None:
    app = fitted(shop(scaled(web(2), CPU, low=low)), replace(BOTH, paused=True))
    assert app.processes[0].replicas == expected
    assert fitted(shop(scaled(web(2), CPU, low=low)), BOTH).processes[0].replicas is None


def test_a_process_at_zero_is_not_autoscaled() -> None:
    app = fitted(shop(scaled(web(0), CPU, low=0, high=0)), BOTH)
    assert (of(app), app.processes[0].replicas) == (None, 0)
    assert app.warnings == ["Process web of shop is not autoscaled while its scale is 0"]


def test_traefik_does_not_pass_the_proxy() -> None:
    app = shop(scaled(web(), HTTP), domains=("a.example.com",), ingress_class="traefik")
    assert ["do not pass KEDA's proxy" in told for told in fitted(app, BOTH).warnings] == [True]


# from app.json


def formation(**section: Any) -> dict[str, Any]:
    return {"formation": {"web": {"autoscaling": section}, "worker": {"autoscaling": section}}}


def test_app_json_s_section_goes_with_its_process() -> None:
    section = {"triggers": [{"type": "cpu", "metadata": {"value": "1"}}]}
    app = assembled(facts(app_json={"formation": {"web": {"autoscaling": section}}}, trigger_auth=LOGINS))
    assert of(app) == Autoscaling(2, 2, 30, 300, [Trigger("trigger-cpu-1", "cpu", {"value": "1"})])
    assert of(app, "worker") is None
    assert app.keda == Keda(authentications=LOGINS)


def test_the_port_of_the_service_is_the_host_s() -> None:
    exposed = {"formation": {"worker": {"service": {"exposed": True}}}}
    app = assembled(facts(app_json=exposed))
    assert [process.service_port for process in app.processes] == [80, 5000]


def test_an_http_trigger_needs_requests() -> None:
    told = refusal(facts(app_json=formation(triggers=[{"type": "http"}])))
    assert told.startswith("app.json: formation.worker.autoscaling: an http trigger counts requests")


def test_a_wrong_section_stops_the_deploy() -> None:
    with pytest.raises(PluginError, match="min_quantity"):
        assembled(facts(app_json=formation(triggers=[{"type": "cpu"}], min_quantity="x")))
