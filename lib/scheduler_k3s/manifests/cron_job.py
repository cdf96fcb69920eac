"""The CronJob of a cron task."""

from scheduler_k3s.app import App, CronTask
from scheduler_k3s.manifests import pod
from scheduler_k3s.manifests.metadata import Object, metadata

HASH = "dokku.com/cron-hash"
ID = "dokku.com/cron-id"
SUFFIX = "dokku.com/job-suffix"
_DAY = 86400
_KEPT = 10


def name(app: str, suffix: str) -> str:
    return f"{app}-cron-{suffix}"


def cron_job(app: App, task: CronTask) -> Object:
    """Its name outlives deploys, and changes with the command and the schedule, of which the task's id is made.

    One failure ends a Job, a day does too; a finished one is gone after a minute, its pods with it.
    """
    job = {
        "metadata": _metadata(app, task, "job"),
        "spec": {
            "activeDeadlineSeconds": _DAY,
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "template": {"metadata": _metadata(app, task, "pod"), "spec": _pod(app, task)},
            "ttlSecondsAfterFinished": 60,
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": name(app.name, task.suffix),
            "namespace": app.namespace,
            **_metadata(app, task, "cronjob"),
        },
        "spec": {
            "schedule": task.schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": task.policy,
            "suspend": task.suspend,
            "startingDeadlineSeconds": 60,
            "successfulJobsHistoryLimit": _KEPT,
            "failedJobsHistoryLimit": _KEPT,
            "jobTemplate": job,
        },
    }


def _metadata(app: App, task: CronTask, resource: str) -> Object:
    """The labels and annotations that the CronJob, its Jobs and their pods have in common, and the user's."""
    labels = {
        "app.kubernetes.io/instance": name(app.name, task.suffix),
        "app.kubernetes.io/name": "cron",
        "app.kubernetes.io/part-of": app.name,
        HASH: task.hash,
    }
    annotations = {
        "app.kubernetes.io/version": app.deployment_id,
        "dokku.com/builder-type": app.image.kind,
        "kubectl.kubernetes.io/default-container": _container_name(app),
        HASH: task.hash,
        ID: task.id,
        SUFFIX: task.suffix,
    }
    found = metadata(app, resource, "", process=task.id, labels=labels, annotations=annotations)
    return {"labels": found["labels"], "annotations": found["annotations"]}


def _pod(app: App, task: CronTask) -> Object:
    container = pod.container(app, _container_name(app), task.args, task.resources)
    return {**pod.pod(app, container), "restartPolicy": "Never"}


def _container_name(app: App) -> str:
    return f"{app.name}-cron"
