"""All objects of an app's release, in the order in which they are listed."""

from scheduler_k3s.app import App
from scheduler_k3s.manifests import keda, probes, routing
from scheduler_k3s.manifests.cron_job import cron_job
from scheduler_k3s.manifests.deployment import deployment
from scheduler_k3s.manifests.metadata import Object
from scheduler_k3s.manifests.service import service
from scheduler_k3s.manifests.service_account import service_account


def build(app: App) -> list[Object]:
    result = [service_account(app)]
    result += [service(app, process) for process in app.processes if process.has_service]
    result += [deployment(app, process) for process in app.processes]
    result += [cron_job(app, task) for task in app.cron]
    result += routing.objects(app)
    result += keda.objects(app)
    return result


def warnings(app: App) -> list[str]:
    """What the user should know of an app whose objects are fine."""
    told = list(app.warnings)
    for process in app.processes:
        told += probes.warnings(process.checks, f"{probes.WHERE}.{process.type}")
    told += routing.warnings(app)
    return told
