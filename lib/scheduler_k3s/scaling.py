"""Fits the autoscaling of an app to its cluster: what KEDA is not there for is left out, and said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from scheduler_k3s.autoscaling import HTTP, Autoscaling
from scheduler_k3s.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scheduler_k3s.app import App, Process

KEDA = "keda.sh/v1alpha1"
HTTP_ADD_ON = "http.keda.sh/v1alpha1"


@dataclass(frozen=True)
class Keda:
    """`served` are the APIs of KEDA that the cluster has. `authentications` hold what triggers of the app log in
    with, by trigger type; those named in `cluster_authentications` belong to all apps. `paused`: the app was stopped.
    """

    served: frozenset[str] = frozenset()
    cluster_authentications: frozenset[str] = frozenset()
    authentications: Mapping[str, Mapping[str, Secret]] = field(default_factory=dict)
    paused: bool = False


def fitted(app: "App", keda: Keda) -> "App":
    """The app as this cluster can scale it; its warnings say what it cannot."""
    keda = replace(keda, authentications=app.keda.authentications)
    scaled = [process.type for process in app.processes if process.autoscaling]
    if not scaled and not keda.authentications:
        return app
    if KEDA not in keda.served:
        processes = [replace(process, autoscaling=None) for process in app.processes]
        told = [*app.warnings, *_without_keda(app, scaled)]
        return replace(app, processes=processes, keda=Keda(), warnings=told)
    told = list(app.warnings)
    processes = [
        replace(process, autoscaling=_fitted(process, process.autoscaling, app, keda, told))
        if process.autoscaling
        else process
        for process in app.processes
    ]
    return replace(app, processes=processes, keda=keda, warnings=told)


def _fitted(
    process: "Process", scaling: Autoscaling, app: "App", keda: Keda, told: list[str]
) -> Autoscaling | None:
    if scaling.maximum == 0:
        told.append(f"Process {process.type} of {app.name} is not autoscaled while its scale is 0")
        return None
    if scaling.http is not None and HTTP_ADD_ON not in keda.served:
        told.append(
            f"The http trigger of {app.name} {process.type} is left out: the cluster does not serve {HTTP_ADD_ON}. "
            "Install KEDA's http add-on with: dokku scheduler-k3s:ensure-charts"
        )
        rest = [trigger for trigger in scaling.triggers if trigger.type != HTTP]
        scaling = replace(scaling, http=None, triggers=rest)
        if not rest:
            return None
    if scaling.http is not None and process.type == "web" and app.ingress_class != "nginx" and app.domains:
        told.append(
            f"Requests to {app.name} do not pass KEDA's proxy with the ingress class {app.ingress_class}, so the http "
            "trigger does not see them"
        )
    return replace(scaling, start=max(1, scaling.minimum)) if keda.paused else scaling


def _without_keda(app: "App", scaled: Sequence[str]) -> list[str]:
    """Three lines: what is missing, what runs instead, what to do."""
    kept = ", ".join(f"{process.type}={process.scale}" for process in app.processes if process.type in scaled)
    return [
        f"The cluster does not serve {KEDA}: autoscaling of {app.name} is left out",
        f"Its processes stay at their scale: {kept}" if kept else "Its trigger authentications are not made",
        "Install KEDA and deploy again: dokku scheduler-k3s:ensure-charts",
    ]
